/**
 * The camera as a source of grey frames, one in flight at a time.
 *
 *   getUserMedia -> <video> -> canvas 640 wide -> luma -> onFrame(luma) -> when it is done, the next
 *
 * While the page is hidden nothing runs, and its light is off: whoever comes back finds it on again. One that is pulled out, or
 * taken away by the system, is told of; its last picture is not looked at for ever.
 */
import { fitInside, frameSize, toLuma } from './luma.js';

/** @typedef {import('../ipc/types.js').Luma} Luma */
/** @typedef {'noCamera' | 'denied' | 'busy' | 'silent' | 'gone'} Trouble `gone`: it ran, and runs no more. */

/** After this long without an answer the person is told; the camera may still come. */
const ANSWER_MS = 8000;

/** From one frame to the next: 15 a second, of which the reader needs 5-30 ms. */
const FRAME_MS = 66;

/** After a frame that took longer: the page should breathe. */
const PAUSE_MS = 8;

export class Camera {
  #canvas = document.createElement('canvas');
  /** @type {MediaStream | null} */
  #stream = null;
  /** Counts openings and what ends them: frames are read for the last one only. */
  #opening = 0;
  /** Of whose end is told. @type {MediaStreamTrack | null} */
  #watched = null;

  /**
   * @param {HTMLVideoElement} video
   * @param {(frame: Luma) => Promise<void>} onFrame
   * @param {(reason: Trouble) => void} onTrouble
   */
  constructor(video, onFrame, onTrouble) {
    this.video = video;
    this.onFrame = onFrame;
    this.onTrouble = onTrouble;
  }

  /** Resolves once the picture runs, or when it turned out that it won't. */
  async start() {
    if (!navigator.mediaDevices?.getUserMedia) {
      this.onTrouble('noCamera');
      return;
    }
    document.addEventListener('visibilitychange', this.#onLook);
    if (document.visibilityState !== 'hidden') await this.#open();
  }

  async #open() {
    this.#opening += 1;
    const opening = this.#opening;
    const over = () => opening !== this.#opening;
    const impatience = setTimeout(() => { if (!over()) this.onTrouble('silent'); }, ANSWER_MS);
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: 'environment', width: { ideal: 1280 } }, audio: false,
      });
      if (over()) {
        stopAll(stream); // closed, or hidden, while the question was open
        return;
      }
      this.#stream = stream;
      this.video.srcObject = stream;
      await this.video.play();
      void this.#run(opening);
    } catch (error) {
      if (over()) return;
      this.onTrouble(reasonOf(error));
      this.#release();
    } finally {
      clearTimeout(impatience);
    }
  }

  /** Stops the tracks: the camera's light goes off. */
  stop() {
    document.removeEventListener('visibilitychange', this.#onLook);
    this.#release();
  }

  #onLook = () => {
    if (document.visibilityState !== 'hidden') void this.#open();
    else this.#release();
  };

  #onEnd = () => {
    this.#release();
    this.onTrouble('gone');
  };

  /** What the page shows may be another camera's stream than the first one. */
  #release() {
    this.#opening += 1;
    this.#watch(null);
    stopAll(this.#stream);
    if (this.video.srcObject instanceof MediaStream) stopAll(this.video.srcObject);
    this.#stream = null;
    this.video.srcObject = null;
  }

  /** Only an end that nobody here asked for is told of by a track. @param {MediaStreamTrack | null} track */
  #watch(track) {
    if (track === this.#watched) return;
    this.#watched?.removeEventListener('ended', this.#onEnd);
    this.#watched = track;
    track?.addEventListener('ended', this.#onEnd);
  }

  /** @param {number} opening */
  async #run(opening) {
    while (opening === this.#opening) {
      const { srcObject } = this.video;
      if (srcObject instanceof MediaStream) this.#watch(srcObject.getVideoTracks()[0] ?? null);
      const due = performance.now() + FRAME_MS;
      const frame = this.#grab();
      if (frame) await this.onFrame(frame);
      const pause = Math.max(PAUSE_MS, due - performance.now());
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  /** @returns {Luma | null} Null while there is no picture yet. */
  #grab() {
    const { videoWidth, videoHeight } = this.video;
    if (videoWidth === 0 || this.video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return null;
    return { ...draw(this.#canvas, this.video, frameSize(videoWidth, videoHeight)), live: true };
  }
}

/**
 * The camera's light goes off.
 * @param {MediaStream | null} stream
 */
export function stopAll(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/**
 * @param {unknown} error
 * @returns {'noCamera' | 'denied' | 'busy'}
 */
function reasonOf(error) {
  const name = error instanceof Error ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied';
  if (name === 'NotReadableError' || name === 'AbortError') return 'busy';
  return 'noCamera';
}

/**
 * A chosen picture in one size.
 * @param {ImageBitmap | HTMLImageElement} picture
 * @param {number} limit The longest side.
 * @returns {Luma}
 */
export function pictureLuma(picture, limit) {
  return draw(document.createElement('canvas'), picture, fitInside(picture.width, picture.height, limit));
}

/**
 * @param {Blob} file
 * @returns {Promise<ImageBitmap | HTMLImageElement>} Rejects when it isn't a picture.
 */
export async function openPicture(file) {
  try {
    return await createImageBitmap(file);
  } catch {
    // Some formats decode only in an image element.
    const url = URL.createObjectURL(file);
    try {
      const image = new Image();
      image.src = url;
      await image.decode();
      return image;
    } finally {
      URL.revokeObjectURL(url);
    }
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasImageSource} source
 * @param {{width: number, height: number}} size
 * @returns {Luma}
 */
function draw(canvas, source, { width, height }) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('no canvas');
  // What is transparent in a picture is paper, not ink.
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.drawImage(source, 0, 0, width, height);
  return { width, height, bytes: toLuma(context.getImageData(0, 0, width, height).data) };
}
