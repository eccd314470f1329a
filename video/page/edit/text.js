/** The texts of everything that changes cameras. */

export const text = {
  add: "Add camera",
  addTitle: "Add a camera",
  /** @param {string} camera */
  editTitle: (camera) => `Edit “${camera}”`,
  edit: "Edit",
  pause: "Pause",
  resume: "Resume",
  remove: "Remove",
  cancel: "Cancel",
  save: "Save",
  saving: "Saving …",

  name: "Name",
  nameHint: "Shown on the page; it cannot be changed later",
  link: "Link",
  linkHint: "Such as rtsp://user:password@192.168.1.20/stream1 or http://192.168.1.20/video.mjpg",
  /** @param {string} masked */
  linkKept: (masked) => `Now ${masked}. Leave it empty to keep it`,
  show: "Show",
  showLink: "Show the link",
  group: "Group",
  groupHint: "The heading under which the page shows it; optional",
  models: "Models",
  modelsHint: "All of them: also those that are added later",
  more: "Picture and timing",
  interval: "Interval",
  intervalHint: "Time between two frames, such as 40ms or 1s; empty: the producer’s",
  scale: "Scale",
  scaleHint: "A factor such as 0.5, or two: width × height",
  rotate: "Rotate",
  /** @param {string} degrees clockwise */
  degrees: (degrees) => (degrees === "0" ? "Not at all" : `${degrees}° clockwise`),
  weight: "Weight",
  weightHint: "Its share of the models’ time; others have 1",
  deadline: "Deadline",
  deadlineHint: "The age up to which a frame is sent to models, such as 500ms",

  preview: "Preview",
  previewNeedsLink: "Type a link to preview it",
  previewStarts: "Opening the camera …",
  previewEnded: "The preview has ended. Start it again if you need it",
  /** @param {number} width @param {number} height @param {number} fps */
  previewOf: (width, height, fps) => `${width} × ${height}, ${fps < 10 ? fps.toFixed(1) : Math.round(fps)} fps`,
  /** @param {string} state @param {string | null} reason */
  previewWaits: (state, reason) => (reason ? `${state}: ${reason}` : `${state} …`),
  previewPicture: "The camera’s picture",

  /** @param {string} camera */
  removeTitle: (camera) => `Remove “${camera}”?`,
  removeLead:
    "It is no longer captured, and its recent labels are forgotten. To get it back, add it with its link again.",
  /** @param {string} camera */
  removed: (camera) => `“${camera}” was removed`,
  /** @param {string} camera @param {string} why */
  notDone: (camera, why) => `“${camera}” was not changed: ${why}`,
  /** @param {string} camera */
  gone: (camera) => `“${camera}” was removed meanwhile. To get it back, add it again`,
  noRecord: "it has no record that can be read: it was given to its producer at startup, or remove it and add it again",

  noAnswer: "The server does not answer. Try again",
  /** @param {number} status */
  refused: (status) => `The server refused this with status ${status}`,
  loggedOut: "You are no longer logged in",
  logIn: "Log in in a new tab, then try again here",
  /** @param {string} why */
  notAllowed: (why) => `You may not change cameras now: ${why}`,
};
