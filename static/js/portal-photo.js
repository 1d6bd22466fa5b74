// A photo is made smaller on the phone: quicker to send, and what the camera wrote into it stays behind.
const LONGEST = 1280

export async function smaller (file) {
  const picture = await createImageBitmap(file, { imageOrientation: 'from-image' })
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.round(picture.width * scale)
  canvas.height = Math.round(picture.height * scale)
  canvas.getContext('2d').drawImage(picture, 0, 0, canvas.width, canvas.height)
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.82))
}

for (const input of document.querySelectorAll('form[data-photo] input[type=file]')) {
  input.addEventListener('change', async () => {
    const file = input.files[0]
    if (!file) return
    try {
      const blob = await smaller(file)
      const held = new DataTransfer()
      held.items.add(new File([blob], 'photo.jpg', { type: 'image/jpeg' }))
      input.files = held.files
    } catch { /* the server makes it smaller, or says what is wrong */ }
    input.form.requestSubmit()
  })
}
