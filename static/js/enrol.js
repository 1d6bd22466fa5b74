// Shows only the pathway that will be taken, and jumps to what is wrong. Without it all pathways are listed.
const list = document.getElementById('pathways')
const procedure = document.getElementById('id_procedure')
const pathway = document.getElementById('id_pathway')

function chosen () {
  const rows = [...list.children]
  if (pathway.value) return rows.filter((row) => row.dataset.pathway === pathway.value)
  const own = rows.filter((row) => procedure.value && row.dataset.procedure === procedure.value)
  const kind = rows.filter((row) => row.dataset.procedure && procedure.value.startsWith(`${row.dataset.procedure}_`))
  if (own.length || kind.length) return (own.length ? own : kind).slice(0, 1)
  return rows.filter((row) => !row.dataset.procedure).slice(0, 1)
}

function show () {
  const shown = chosen()
  for (const row of list.children) row.hidden = !shown.includes(row)
}

if (list && procedure && pathway) {
  procedure.addEventListener('change', show)
  pathway.addEventListener('change', show)
  show()
}
document.getElementById('problems')?.focus()
