// Offers passkeys only where the browser has them, and says in words when one was not accepted.
const form = document.getElementById('mfa_login')
const problem = document.getElementById('passkey_problem')

if (form && window.isSecureContext && window.PublicKeyCredential) form.hidden = false

document.addEventListener('allauth.error', (event) => {
  event.preventDefault()
  if (!problem) return
  problem.textContent = problem.dataset.said || 'No passkey was used. Try again, or sign in with name and password.'
  problem.hidden = false
})
