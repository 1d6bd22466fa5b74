// The secret of a one-time link stands after the #: it never reaches a server's log. It is sent with the form only.
const field = document.getElementById('secret')
const missing = document.getElementById('missing')

if (field && location.hash.length > 1) {
  field.value = location.hash.slice(1)
  history.replaceState(null, '', location.pathname)
}
if (field && field.value) missing.hidden = true
