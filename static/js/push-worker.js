// Wakes up for a push message and says it; a click opens the notifications. It keeps nothing.
addEventListener("push", (event) => {
  const said = event.data ? event.data.json() : {};
  const shown = { body: said.body ?? "Sign in to see it.", tag: said.tag, data: { url: said.url ?? "/notifications/" } };
  event.waitUntil(self.registration.showNotification(said.title ?? "A patient on your list needs you", shown));
});

addEventListener("notificationclick", (event) => {
  event.notification.close();
  const url = new URL(event.notification.data.url, self.location.origin);
  event.waitUntil(clients.openWindow(url.origin === self.location.origin ? url.href : "/notifications/"));
});
