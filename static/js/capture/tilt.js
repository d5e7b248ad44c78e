// How far the horizon leans in the picture, in degrees, from where the phone says that down is. Where it says nothing, and
// where the camera looks nearly straight up or down, so that a picture has no horizon, that is unknown: null.

const STEEP = Math.cos((20 * Math.PI) / 180); // of the plumb line along the camera's axis

/**
 * `beta`, `gamma`: of DeviceOrientation, in degrees. The plumb line in the phone's own axes is the last row of its rotation
 * (W3C Device Orientation, Z-X'-Y''): turned by quarters, whichever way the phone is held, what is left is the lean.
 */
export function leanOf(beta, gamma) {
  const [b, g] = [(beta * Math.PI) / 180, (gamma * Math.PI) / 180];
  const [x, y, z] = [-Math.cos(b) * Math.sin(g), Math.sin(b), Math.cos(b) * Math.cos(g)];
  if (Math.abs(z) > STEEP) return null;
  const angle = (Math.atan2(x, y) * 180) / Math.PI;
  return angle - 90 * Math.round(angle / 90);
}

export class Tilt extends EventTarget {
  lean = null;

  /** To be called from a tap: some phones ask the person then. */
  async start() {
    const asks = globalThis.DeviceOrientationEvent?.requestPermission;
    try {
      if (asks && (await DeviceOrientationEvent.requestPermission()) !== "granted") return;
    } catch {
      return;
    }
    addEventListener("deviceorientation", ({ beta, gamma }) => {
      this.lean = beta === null || gamma === null ? null : leanOf(beta, gamma);
      this.dispatchEvent(new Event("change"));
    });
  }
}
