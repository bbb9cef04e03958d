/** The front camera while photos are taken, and how light it is before it. */

const WANTED = { video: { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 960 } } };
const LONGEST = 1280; // pixels of a photo's longer side
const DARK = 75; // mean grey of the middle, 0-255; a product default
const LIGHT = 105; // the lamp itself must not put it out again

export class Camera {
  constructor() {
    this.video = Object.assign(document.createElement("video"), { muted: true, autoplay: true, playsInline: true });
    this.small = Object.assign(document.createElement("canvas"), { width: 16, height: 16 });
    this.dark = false;
  }

  /** Rejects with a name of `texts.trouble`. */
  async open() {
    this.close();
    if (!navigator.mediaDevices?.getUserMedia) throw new Error("insecure");
    try {
      this.stream = await navigator.mediaDevices.getUserMedia(WANTED);
      this.video.srcObject = this.stream;
      await this.video.play();
    } catch (error) {
      throw new Error(error?.name === "NotAllowedError" ? "denied" : "absent");
    }
  }

  close() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = undefined;
  }

  /** Whether a face before it is badly lit. */
  isDark() {
    const { video, small } = this;
    if (!video.videoWidth) return this.dark;
    const [width, height] = [video.videoWidth / 2, video.videoHeight / 2];
    const pen = small.getContext("2d", { willReadFrequently: true });
    pen.drawImage(video, width / 2, height / 2, width, height, 0, 0, 16, 16);
    const { data } = pen.getImageData(0, 0, 16, 16);
    let sum = 0;
    for (let n = 0; n < data.length; n += 4) sum += 0.299 * data[n] + 0.587 * data[n + 1] + 0.114 * data[n + 2];
    this.dark = sum / 256 < (this.dark ? LIGHT : DARK);
    return this.dark;
  }

  /** What it sees now, drawn on a canvas of its own. */
  still() {
    const { video } = this;
    const scale = Math.min(1, LONGEST / Math.max(video.videoWidth, video.videoHeight));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    return canvas;
  }
}
