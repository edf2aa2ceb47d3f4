// Builds the guest image that tests share, before lanes begin that would all build it at once: of builds
// beside each other only the last one's result stays.
import { testGuestImage } from "../../pkg/guestimage/testing/test-image.js";

await testGuestImage();
