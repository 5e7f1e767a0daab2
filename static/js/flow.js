// The page of one flow.

import { followCanvas } from "./canvas.js";
import { watchChanges } from "./unsaved.js";

const canvas = document.querySelector("[role=application]");
if (canvas) followCanvas(canvas, document.getElementById("panel"));

const form = document.getElementById("properties");
if (form) watchChanges(form);
