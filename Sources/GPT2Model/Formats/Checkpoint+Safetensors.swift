import Foundation

extension Checkpoint {
  /// Opens a `.safetensors` file with tensors in float32, float16 or bfloat16. Its shape comes from a `config.json`
  /// beside it where there is one, otherwise from the tensors themselves; the number of heads, which no tensor
  /// shows, is then the file's metadata `n_head`, or one head for each 64 channels, as in every released GPT-2. A
  /// file with a matrix of its own for the logits is not tied.
  public convenience init(safetensors path: String) throws(ModelError) {
    try self.init(try SafetensorsContents(file: path), configuration: nil, name: path)
  }

  /// Opens a model whose tensors a `model.safetensors.index.json` spreads over several files.
  public convenience init(safetensorsIndex path: String) throws(ModelError) {
    try self.init(try SafetensorsContents(index: path), configuration: nil, name: path)
  }

  /// - Parameter given: the shape that the file must have; nil to look for it as above.
  convenience init(
    _ contents: SafetensorsContents, configuration given: Configuration?, name: String
  ) throws(ModelError) {
    let sibling = URL(fileURLWithPath: contents.path).deletingLastPathComponent()
      .appendingPathComponent("config.json").path
    let configuration: Configuration
    if let given {
      configuration = given
    } else if FileManager.default.fileExists(atPath: sibling) {
      configuration = try Configuration(huggingFace: sibling)
    } else {
      configuration = try contents.inferConfiguration()
    }
    self.init(
      name: name, configuration: configuration, files: contents.files,
      tensors: try contents.tensors(of: configuration))
  }
}
