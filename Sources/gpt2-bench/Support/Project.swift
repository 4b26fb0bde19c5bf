import Foundation
import GPT2Model
import Record
import Reporting

/// Where the project's own files are: the folder that holds `Benchmarks/suites`, found upwards from the working
/// folder, then upwards from the executable, then where `scripts/install.sh` puts it. `GPT2_BENCH_HOME` names another.
struct Project {
  /// What comes with the program: suites, references, baselines and the tiny model.
  let root: String
  /// Where weights are kept that were generated or downloaded: with the project, or with the user where the project is
  /// an installed one.
  let weights: String
  /// Where new folders of reports are made: with the project, or in the working folder where the project is an
  /// installed one.
  let reports: String

  init() throws {
    root = try Self.findRoot()
    let isInstalled = FileManager.default.fileExists(atPath: root + "/" + Installation.list)
    weights = (isInstalled ? Installation.cache : root) + "/weights"
    reports = isInstalled ? "reports" : root + "/reports"
    // A folder that cannot be made costs nothing: weights then stay in memory.
    if isInstalled {
      try? FileManager.default.createDirectory(atPath: weights, withIntermediateDirectories: true)
    }
  }

  private static func findRoot() throws -> String {
    let environment = ProcessInfo.processInfo.environment
    if let home = environment["GPT2_BENCH_HOME"], !home.isEmpty {
      guard isRoot(home) else {
        throw RunError("GPT2_BENCH_HOME: \(home) has no folder Benchmarks/suites")
      }
      return home
    }
    let starts = [FileManager.default.currentDirectoryPath, executableFolder]
    guard let found = starts.lazy.compactMap(search(upwardsFrom:)).first ?? Installation.root else {
      throw RunError(
        "the project's folder is not found, expected Benchmarks/suites above the working folder or the "
          + "executable, or an installation by scripts/install.sh; GPT2_BENCH_HOME names it")
    }
    return found
  }

  static var executableFolder: String {
    URL(fileURLWithPath: executable).resolvingSymlinksInPath().deletingLastPathComponent().path
  }

  static var executable: String {
    #if canImport(Glibc)
      if let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
        return path
      }
    #endif
    return CommandLine.arguments[0]
  }

  /// This program as one would type it again: by its name where `PATH` finds it by that, else by the shortest path known.
  static var typedExecutable: String {
    let name = "gpt2-bench"
    let own = URL(fileURLWithPath: executable).resolvingSymlinksInPath().path
    func isOwn(_ path: String) -> Bool {
      Output.isProgram(path) && URL(fileURLWithPath: path).resolvingSymlinksInPath().path == own
    }
    if let found = Output.program(inPath: name), isOwn(found) { return name }
    // Where SwiftPM's links lead.
    let built = [".build/release/\(name)", ".build/debug/\(name)"].first(where: isOwn)
    return built ?? shown(isOwn(CommandLine.arguments[0]) ? CommandLine.arguments[0] : executable)
  }

  var suites: String { root + "/Benchmarks/suites" }
  var references: String { root + "/Benchmarks/reference" }
  var gradients: String { references + "/gradients" }
  var tinyModel: String { root + "/weights/tiny" }
  /// Real text by which weights of fewer bits are held against float32's: the tiny model was not trained on it.
  var text: ModelFileRequest { ModelFileRequest(file: references + "/excerpt.txt", model: tinyModel) }
  var downloadedModel: String { weights + "/gpt2" }

  /// The folders in which models lie; two of an installed project.
  var modelFolders: [String] { [root + "/weights", weights].uniqued() }

  /// A model's name in a reference as `--model` takes it; relative paths start at the project, and what lies in
  /// `weights/` may be the user's.
  func path(ofModel name: String) -> String {
    if name.hasPrefix(ModelSource.syntheticPrefix) || name.hasPrefix("/") { return name }
    let own = root + "/" + name
    guard name.hasPrefix("weights/"), !FileManager.default.fileExists(atPath: own) else { return own }
    return weights + name.dropFirst("weights".count)
  }

  /// The model that the command line names. What `weights/` holds is the project's where the working folder has none.
  func model(_ name: String) throws -> ModelSource {
    let files = FileManager.default
    let own = path(ofModel: name)
    let isElsewhere =
      name.hasPrefix("weights/") && !files.fileExists(atPath: name) && files.fileExists(atPath: own)
    return try ModelSource(isElsewhere ? own : name)
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

  fileprivate static func isRoot(_ folder: String) -> Bool {
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

/// What `scripts/install.sh` put beside the program.
enum Installation {
  /// The list of the installed files, which marks their folder.
  static let list = "installed"

  /// `PREFIX/share/gpt2-bench` of a program `PREFIX/bin/gpt2-bench`; nil where there is none.
  static let root: String? = {
    let path =
      URL(fileURLWithPath: Project.executableFolder).deletingLastPathComponent().path
      + "/share/gpt2-bench"
    return Project.isRoot(path) ? path : nil
  }()

  /// The commit that the program was built from, as `--version` said it when it was installed.
  static var commit: String? {
    let data = root.flatMap { FileManager.default.contents(atPath: $0 + "/commit") } ?? Data()
    let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    return text.isEmpty ? nil : text
  }

  /// The user's folder for what can be made again.
  static var cache: String {
    let environment = ProcessInfo.processInfo.environment
    func folder(_ variable: String) -> String? { environment[variable].flatMap { $0.isEmpty ? nil : $0 } }
    return folder("GPT2_BENCH_CACHE")
      ?? (folder("XDG_CACHE_HOME") ?? (folder("HOME") ?? NSHomeDirectory()) + "/.cache") + "/gpt2-bench"
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
      source = try project.model(name)
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

  /// What a tokenizer is read from, beside a model's weights.
  static let tokenizerFiles = "tokenizer.json, vocab.json and merges.txt, gpt2_tokenizer.bin or vocab.bin"

  /// The error of one who needs a tokenizer where the model has none.
  ///
  /// - Parameters:
  ///   - option: what opens it.
  ///   - way: what would do without a tokenizer; nil for nothing.
  func withoutTokenizer(_ option: String = "", orElse way: String?) -> UsageError {
    UsageError(
      "\(option)\(name) has no tokenizer, expected \(way.map { $0 + ", or " } ?? "")a model with "
        + "\(Self.tokenizerFiles) beside its weights")
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
