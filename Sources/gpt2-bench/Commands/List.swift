import Files
import Foundation
import GPT2Kernels
import GPT2Model
import Record
import Reporting

enum List: Command {
  static let description = CommandDescription(
    name: "list", summary: "lists variants, models, suites or baselines, one name a line",
    operands: subjects.joined(separator: "|"), operandCount: 1...1, operandWords: subjects,
    examples: [
      ("the ways to compute", "gpt2-bench list variants"),
      ("what --model takes", "gpt2-bench list models"),
    ],
    options: [])

  private static let subjects = ["variants", "models", "suites", "baselines"]

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let rows: [(String, String)] =
      switch arguments.operands[0] {
      case "variants": Variant.all.map { ($0.name, $0.listing) } + Variant.lookedUp.map(lookedUp)
      case "models": try models()
      case "suites": try suites()
      case "baselines": try baselines()
      case let other:
        throw UsageError(
          "found '\(other.safeLine(limit: 200))', expected variants, models, suites or baselines"
            + NearestName.advice(for: other, among: subjects))
      }
    console.print(rows.map { [$0, $1] })
    return .done
  }

  private static func lookedUp(_ variant: LookedUpVariant) -> (String, String) {
    (variant.name, variant.variant?.summary ?? variant.summary + " (not found)")
  }

  private static func suites() throws -> [(String, String)] {
    Suite.found(in: try Project()).map { name, suite in
      switch suite {
      case .success(let suite): (name, suite.summary)
      case .failure(let error): (name, "cannot be used: \(error)")
      }
    }
  }

  private static func baselines() throws -> [(String, String)] {
    let baselines = Baselines(in: try Project())
    return baselines.names.map { name in
      guard let record = try? Record.read(path: baselines.path(of: name)) else {
        return (name.text, "cannot be read")
      }
      return (name.text, "\(record.subject), \(record.started), \(record.machine.cpu)")
    }
  }

  /// The synthetic models, and what in `weights/` is a model: folders and files, but for generated ones.
  private static func models() throws -> [(String, String)] {
    var rows = try ModelSource.namedSynthetics.map { name in
      guard case .synthetic(let c, _) = try ModelSource(name) else { return (name, "") }
      return (name, shape(c) + ", generated")
    }
    rows.append(("synthetic:L,H,C,V,T", "any layers, heads, channels, vocabulary, context, generated"))
    let project = try Project()
    for folder in project.modelFolders {
      for name in (try? FileManager.default.contentsOfDirectory(atPath: folder))?.sorted() ?? [] {
        let path = folder + "/" + name
        guard !name.hasPrefix("synthetic-"), let source = try? ModelSource(path) else { continue }
        if case .folder = source, !ModelFolder.holdsWeights(path) { continue }
        let checkpoint = try? source.open(cacheFolder: project.weights)
        rows.append(("weights/" + name, checkpoint.map { shape($0.configuration) } ?? "cannot be opened"))
      }
    }
    return rows
  }

  private static func shape(_ c: Configuration) -> String {
    "\(c.layers) layers, \(c.heads) heads, \(c.channels) channels, vocabulary \(c.vocabulary), "
      + "context \(c.context): \(c.parameterCount) parameters"
  }
}
