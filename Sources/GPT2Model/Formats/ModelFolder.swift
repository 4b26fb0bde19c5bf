import Foundation

/// Finds the weights in a folder.
public enum ModelFolder {
  /// Whether there are weights in a folder.
  public static func holdsWeights(_ folder: String) -> Bool { (try? weights(in: folder)) != nil }

  /// The GGUF file that is the model of a folder; nil where another file is, or none.
  static func gguf(in folder: String) -> String? {
    guard let path = try? weights(in: folder), path.hasSuffix(".gguf") else { return nil }
    return path
  }

  /// The one file of weights in a folder: the first of `model.safetensors`, `model.safetensors.index.json`,
  /// `*.gguf`, `gpt2_*.bin` (llm.c's, float32 before bfloat16), `model.bin` and `pytorch_model.bin` that is
  /// there.
  ///
  /// - Throws: `ModelError.malformed` where there is none, and where several are equally good.
  static func weights(in folder: String) throws(ModelError) -> String {
    let names: [String]
    do { names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted() } catch {
      throw .unreadable(path: folder, reason: "no such folder, or it may not be read")
    }
    for isWanted in wanted {
      let found = names.filter(isWanted)
      if found.count > 1 {
        throw .malformed(
          path: folder,
          problem:
            "holds \(found.joined(separator: ", ")), expected one model, or the name of one of these files")
      }
      if let name = found.first { return folder + "/" + name }
    }
    throw .malformed(
      path: folder,
      problem:
        "no weights in it, expected model.safetensors with its config.json, a .gguf file, llm.c's "
        + "gpt2_124M.bin, or a seed model.bin")
  }

  private static let wanted: [@Sendable (String) -> Bool] = [
    { $0 == "model.safetensors" },
    { $0 == "model.safetensors.index.json" },
    { $0.hasSuffix(".gguf") },
    { isLLMC($0) && !$0.contains("_bf16") },
    { isLLMC($0) },
    { $0 == "model.bin" },
    { $0 == "pytorch_model.bin" },
  ]

  /// llm.c writes `gpt2_124M.bin` and `gpt2_124M_bf16.bin` side by side, and other files with such names.
  private static func isLLMC(_ name: String) -> Bool {
    name.hasPrefix("gpt2_") && name.hasSuffix(".bin") && name != LLMCTokenizer.fileName
      && !name.contains("_debug_state")
  }
}
