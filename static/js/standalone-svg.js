// A plot as a picture of its own. It knows no stylesheet, so what the page's gives each mark is written on it.

const LOOKS = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "opacity",
  "fill-opacity", "font-size", "font-family", "font-weight", "text-anchor"];

export function standalone(svg, scale) {
  const copy = svg.cloneNode(true);
  const from = [svg, ...svg.querySelectorAll("*")];
  const into = [copy, ...copy.querySelectorAll("*")];
  for (const [index, element] of from.entries()) {
    const style = getComputedStyle(element);
    for (const look of LOOKS) {
      const value = style.getPropertyValue(look);
      if (value) into[index].setAttribute(look, value.replace("px", ""));
    }
    into[index].removeAttribute("class");
  }
  const { width, height } = svg.viewBox.baseVal;
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", width * scale);
  copy.setAttribute("height", height * scale);
  return { text: new XMLSerializer().serializeToString(copy), width, height };
}
