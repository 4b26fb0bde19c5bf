import Foundation
import GPT2Model
import Record

/// Where the project's own files are: the folder that holds `Benchmarks/suites`, found upwards from the working
/// folder, then upwards from the executable. `GPT2_BENCH_HOME` names another.
struct Project {
  let root: String

  init() throws {
    let environment = ProcessInfo.processInfo.environment
    if let home = environment["GPT2_BENCH_HOME"], !home.isEmpty {
      guard Self.isRoot(home) else {
        throw RunError("GPT2_BENCH_HOME: \(home) has no folder Benchmarks/suites")
      }
      root = home
      return
    }
    let starts = [
      FileManager.default.currentDirectoryPath,
      URL(fileURLWithPath: Self.executable).resolvingSymlinksInPath().deletingLastPathComponent().path,
    ]
    guard let found = starts.lazy.compactMap(Self.search(upwardsFrom:)).first else {
      throw RunError(
        "the project's folder is not found, expected Benchmarks/suites above the working folder or the "
          + "executable; GPT2_BENCH_HOME names it")
    }
    root = found
  }

  static var executable: String {
    #if canImport(Glibc)
      if let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
        return path
      }
    #endif
    return CommandLine.arguments[0]
  }

  var weights: String { root + "/weights" }
  var reports: String { root + "/reports" }
  var suites: String { root + "/Benchmarks/suites" }
  var references: String { root + "/Benchmarks/reference" }
  var tinyModel: String { weights + "/tiny" }
  var downloadedModel: String { weights + "/gpt2" }

  /// A model's name in a reference as `--model` takes it; relative paths start at the project.
  func path(ofModel name: String) -> String {
    name.hasPrefix("synthetic:") || name.hasPrefix("/") ? name : root + "/" + name
  }

  /// The names of a folder's JSON files, sorted and without their ending; empty where there is no folder.
  static func namesOfJSON(in folder: String) -> [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return files.sorted().filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }
  }

  /// A path below the working folder as people would type it.
  static func shown(_ path: String) -> String {
    let current = FileManager.default.currentDirectoryPath + "/"
    return path.hasPrefix(current) ? String(path.dropFirst(current.count)) : path
  }

  private static func isRoot(_ folder: String) -> Bool {
    FileManager.default.fileExists(atPath: folder + "/Benchmarks/suites")
  }

  private static func search(upwardsFrom start: String) -> String? {
    var url = URL(fileURLWithPath: start).standardizedFileURL
    while true {
      if isRoot(url.path) { return url.path }
      let parent = url.deletingLastPathComponent()
      if parent.path == url.path { return nil }
      url = parent
    }
  }
}

/// The model that a command works on, opened: what `--model` says, or the default for the purpose.
struct ModelChoice {
  enum Purpose { case measuring, text }

  let source: ModelSource
  let checkpoint: Checkpoint

  var name: String { source.name }
  var configuration: Configuration { checkpoint.configuration }

  init(_ name: String?, for purpose: Purpose, _ project: Project, _ console: Console) throws {
    if let name {
      source = try ModelSource(name)
    } else if ModelFolder.holdsWeights(project.downloadedModel) {
      source = try ModelSource(Project.shown(project.downloadedModel))
      console.note("model: \(source.name), downloaded")
    } else if purpose == .measuring {
      source = try ModelSource("synthetic:gpt2")
      console.note("model: synthetic:gpt2, GPT-2 124M's shape with generated weights")
    } else {
      source = try ModelSource(Project.shown(project.tinyModel))
      console.note("model: \(source.name), the tiny model that comes with the project")
    }
    checkpoint = try source.open(cacheFolder: project.weights)
  }

  /// The model's tokenizer; nil where none lies with it.
  ///
  /// - Throws: also where its ids go beyond the model's.
  func tokenizer() throws -> Tokenizer? { try source.tokenizer(for: configuration) }

  func prompts(_ tokenizer: Tokenizer?, seed: UInt64) -> Prompts {
    Prompts(vocabulary: configuration.vocabulary, tokenizer: tokenizer, seed: seed)
  }
  /// The tokens that end a text, as the model's own files say; empty where only a tokenizer may say it.
  func ends() throws -> Set<Int> { try source.endTokens(for: configuration) }
}

extension ModelDescription {
  /// - Parameter hasTokenizer: whether a run starts at text.
  init(_ choice: ModelChoice, hasTokenizer: Bool) {
    let c = choice.configuration
    self.init(
      name: choice.name, layers: c.layers, heads: c.heads, channels: c.channels, vocabulary: c.vocabulary,
      context: c.context, parameters: c.parameterCount, weightBytes: choice.checkpoint.weightBytes,
      hasTokenizer: hasTokenizer)
  }
}
