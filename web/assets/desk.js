// The desk in a browser. Every page works without it; with it, focus stays in the field, a lost line loses nothing, and
// scans are caught wherever they land.
import "./desk-field.js";
import "./desk-sign.js";
import "./desk-photo.js";
import "./desk-line.js";
import "./desk-wedge.js";
import "./desk-keys.js";
import "./desk-poll.js";
import "./desk-sound.js";
import "./desk-camera-button.js";
