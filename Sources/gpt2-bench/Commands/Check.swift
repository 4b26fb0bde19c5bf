import Foundation
import GPT2Engine
import GPT2Model
import Record

enum Check: Command {
  static let description = CommandDescription(
    name: "check", summary: "holds every variant against reference logits; exits 4 where one fails",
    options: [
      Option("--model", value: "M", help: "only this model's references; naive's logits where it has none"),
      .variants, .threadList,
      .reference,
      Option(
        "--timeout", value: "S",
        help: "seconds that a worker may take for one reference (default \(defaultTimeout))"),
    ])

  private static let defaultTimeout = 3600

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let project = try Project()
    let options = try MeasuringOptions(arguments)
    let timeout = try arguments.integer("--timeout", in: 1...86_400) ?? defaultTimeout
    let path = arguments.string("--reference") ?? project.references
    var folders = try References.folders(in: path)
    var model: ModelSource?
    if let name = arguments.string("--model") {
      let source = try ModelSource(name)
      model = source
      folders = try folders.filter { try project.model(of: ReferenceCase(folder: $0)).isSame(as: source) }
    }
    if let model, folders.isEmpty {
      console.note("no reference is of \(model.name): naive's logits take its place")
    }
    for folder in folders { _ = try ReferenceCase(folder: folder) }
    let known = try KnownContinuations(in: path, model: model, project)
    for line in known.skipped { console.note(line) }
    let requests = try requests(folders, model, project) + known.requests.map(request)
    console.print(Row.header)
    var isSound = true
    var isWhole = true
    for contestant in options.contestants {
      do {
        let rows = try check(contestant, model, requests, timeout) { row in
          console.print(Row.text(row))
        }
        isSound = isSound && rows.allSatisfy(\.passed)
      } catch {
        if Interruption.shared.isCancelled { return .interrupted }
        console.warn("\(error)")
        isWhole = false
      }
    }
    return isSound ? (isWhole ? .done : .error) : .failedCheck
  }

  /// One request for each case, so that each result is shown as soon as it is there.
  private static func requests(
    _ folders: [String], _ model: ModelSource?, _ project: Project
  ) throws -> [CheckRequest] {
    if let model, folders.isEmpty {
      let configuration = try model.open(cacheFolder: project.weights).configuration
      let prompts = Prompts(vocabulary: configuration.vocabulary, tokenizer: nil, seed: 1)
      let lengths = [1, 17, 64].map { min($0, configuration.context) }
      return [
        CheckRequest(
          references: [], scope: .full,
          oraclePrompts: try lengths.map { try prompts.make(tokens: $0, batch: 1).prompts[0] })
      ]
    }
    return folders.map {
      CheckRequest(references: [$0])
    }
  }

  private static func request(_ continuations: ContinuationRequest) -> CheckRequest {
    CheckRequest(continuations: [continuations])
  }

  private static func check(
    _ contestant: Contestant, _ model: ModelSource?, _ requests: [CheckRequest], _ timeout: Int,
    onRow: (Correctness) -> Void
  ) throws -> [Correctness] {
    let worker = try Worker(contestant, timeoutSeconds: timeout)
    defer { worker.stop() }
    _ = try worker.load(model: model?.name, cold: false)
    var rows: [Correctness] = []
    for request in requests {
      for row in try worker.check(request) {
        onRow(row)
        rows.append(row)
      }
    }
    return rows
  }

  /// The table's lines.
  private enum Row {
    static let header = line("variant", "reference", "max error", "allowed", "NMSE", "argmax", "check")

    static func text(_ row: Correctness) -> String {
      func number(_ value: Double?) -> String { value.map { String(format: "%.1e", $0) } ?? "" }
      return line(
        row.variant + (row.threads > 1 ? " t\(row.threads)" : ""), row.reference,
        number(row.maxAbsoluteError), number(row.tolerance > 0 ? row.tolerance : nil), number(row.nmse),
        "\(row.argmaxAgreed)/\(row.argmaxCompared)", row.passed ? "pass" : "FAIL: \(row.failure ?? "")")
    }

    private static func line(_ cells: String...) -> String {
      let widths = [14, 20, 9, 9, 9, 11, 0]
      return zip(cells, widths).map { $0.padding(to: $1) }.joined(separator: "  ")
    }
  }
}
