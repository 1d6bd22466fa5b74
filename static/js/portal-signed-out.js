// Whoever is asked to sign in is nobody yet: what this phone keeps of the person before goes, however their session ended.
// Answers not yet sent stay, sealed.
navigator.serviceWorker?.getRegistration('/me/').then((held) => held?.active?.postMessage('signed-out'))
globalThis.caches?.delete('portal-pages')
