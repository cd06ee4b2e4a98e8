import { render } from "preact";

render(<p class="beginning">Asking the hub …</p>, document.getElementById("page")!);
