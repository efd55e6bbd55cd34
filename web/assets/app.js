import { Dropdown } from "@tabler/core/dist/js/tabler.esm.js";
import "htmx.org/dist/htmx.esm.js";
import "./parts.js";
import "./passkeys.js";

// Importing Dropdown switches on every data-bs-toggle="dropdown" of the page.
export { Dropdown };
import "./panic-console.js";
