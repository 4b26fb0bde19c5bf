import GPT2Model
import Record

/// The model that a command works on: what `--model` says, or the default for the purpose.
struct ModelChoice {
  enum Purpose {
    case measuring, text
  }

  let source: ModelSource
  private let project: Project

  init(_ name: String?, for purpose: Purpose, _ project: Project, _ console: Console) throws {
    self.project = project
    if let name {
      source = try ModelSource(name)
      return
    }
    let downloaded = project.downloadedModel
    if ModelFolder.holdsWeights(downloaded) {
      source = try ModelSource(Project.shown(downloaded))
      console.note("model: \(source.name), downloaded")
      return
    }
    switch purpose {
    case .measuring:
      source = try ModelSource("synthetic:gpt2")
      console.note("model: synthetic:gpt2, GPT-2 124M's shape with generated weights")
    case .text:
      source = try ModelSource(Project.shown(project.tinyModel))
      console.note("model: \(source.name), the tiny model that comes with the project")
    }
  }

  func open() throws -> Checkpoint { try source.open(cacheFolder: project.weights) }

  /// The model's tokenizer; nil where none lies with it.
  ///
  /// - Throws: also where its ids go beyond the model's.
  func tokenizer(of configuration: Configuration) throws -> Tokenizer? {
    try source.tokenizer(for: configuration)
  }
}

extension ModelDescription {
  /// - Parameter hasTokenizer: whether a run starts at text.
  init(_ choice: ModelChoice, _ checkpoint: Checkpoint, hasTokenizer: Bool) {
    let c = checkpoint.configuration
    self.init(
      name: choice.source.name, layers: c.layers, heads: c.heads, channels: c.channels,
      vocabulary: c.vocabulary, context: c.context, parameters: c.parameterCount,
      weightBytes: checkpoint.weightBytes, hasTokenizer: hasTokenizer)
  }
}
