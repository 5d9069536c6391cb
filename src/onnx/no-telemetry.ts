/**
 * Keeps ONNX Runtime silent: since 1.29 its builds for Linux and macOS report sessions and errors to their maker unless
 * this variable is set before the library is loaded. Imported before the runtime, for its effect alone.
 */

process.env["ORT_DISABLE_TELEMETRY"] = "1";
