import Foundation
import GPT2Model
import Record
import Training

/// Where the references lie that `--reference` names: a case of logits, continuations or gradients, or a folder of them.
enum References {
  private static let caseName = "reference.json"
  private static let gradientsName = "gradients"

  /// The folder itself where it is a case of logits, otherwise the cases in it.
  ///
  /// - Throws: `ModelError` for a folder that is not there, or has no reference of any kind.
  static func folders(in path: String) throws -> [String] {
    guard (try? FileManager.default.contentsOfDirectory(atPath: path)) != nil else {
      throw ModelError.unreadable(path: path, reason: "no such folder")
    }
    let cases = folders(with: caseName, in: path)
    guard
      !cases.isEmpty || !folders(with: KnownContinuations.fileName, in: path).isEmpty
        || gradients(in: path) != nil
    else {
      throw ModelError.malformed(
        path: path, problem: "no \(caseName) in it, nor in a folder below, and no gradients")
    }
    return cases
  }

  /// The folder itself where it has such a file, otherwise those in it that do.
  static func folders(with file: String, in path: String) -> [String] {
    let manager = FileManager.default
    if manager.fileExists(atPath: "\(path)/\(file)") { return [path] }
    let names = (try? manager.contentsOfDirectory(atPath: path)) ?? []
    return names.sorted().map { path + "/" + $0 }.filter { manager.fileExists(atPath: "\($0)/\(file)") }
  }

  /// The folder of gradients and their files: that below which has the name, otherwise the folder itself; nil where there
  /// are none.
  static func gradients(in path: String) -> (folder: String, files: [String])? {
    let below = "\(path)/\(gradientsName)"
    let files = Project.namesOfJSON(in: below).map { "\(below)/\($0).json" }
    if !files.isEmpty { return (below, files) }
    // Other references are JSON too, and may lie beside.
    let others = [caseName, KnownContinuations.fileName]
    let own = Project.namesOfJSON(in: path).map { $0 + ".json" }.filter { !others.contains($0) }
      .map { "\(path)/\($0)" }.filter(hasGradients)
    return own.isEmpty ? nil : (path, own)
  }

  /// Whether a file speaks of gradients. What is no plain file does not: a pipe would have to wait for its writer.
  private static func hasGradients(_ file: String) -> Bool {
    (try? ModelFile.read(file))?.range(of: Data("\"\(gradientsName)\"".utf8)) != nil
  }
}

/// The references of gradients that can be checked here, each with the model that it is of.
struct KnownGradients {
  struct Case {
    let name: String
    let source: ModelSource
    let request: ModelFileRequest
    /// What a trainer of it takes.
    let bytes: Int
  }

  let cases: [Case]

  var requests: [ModelFileRequest] { cases.map(\.request) }

  /// - Parameter path: a folder as `--reference` takes it.
  /// - Throws: `ModelError` for a file or a model that cannot be read.
  init(in path: String, _ project: Project) throws {
    cases = try (References.gradients(in: path)?.files ?? []).map { file in
      let reference = try GradientReference(path: file)
      let source = try ModelSource(project.path(ofModel: reference.model))
      let configuration =
        if case .synthetic(let shape, _) = source {
          shape
        } else {
          try source.open(cacheFolder: project.weights).configuration
        }
      return Case(
        name: reference.name, source: source, request: ModelFileRequest(file: file, model: source.name),
        bytes: Trainer.memoryBytes(
          configuration, tokens: reference.options.batch * reference.options.context))
    }
  }

  private init(_ cases: [Case]) { self.cases = cases }

  /// Those of one model; all where none is named.
  func of(_ model: ModelSource?) -> KnownGradients {
    KnownGradients(cases.filter { known in model.map(known.source.isSame) ?? true })
  }

  /// Those of models that every variant computes with in a moment.
  var ofSmallModels: KnownGradients { KnownGradients(cases.filter(\.source.isSmall)) }

  /// Those that this machine has the memory for, and a line for each of the others.
  func fitting() -> (kept: KnownGradients, skipped: [String]) {
    var (kept, skipped): ([Case], [String]) = ([], [])
    for known in cases {
      do {
        try MemoryLimit.checkFree(Double(known.bytes), for: "a step of training needs")
        kept.append(known)
      } catch { skipped.append("\(Correctness.gradients(of: known.name)): skipped, \(error)") }
    }
    return (KnownGradients(kept), skipped)
  }
}

extension Correctness {
  /// What the row of a reference's gradients is called.
  static func gradients(of name: String) -> String { "gradients of \(name)" }
}
