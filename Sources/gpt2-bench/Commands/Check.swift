import Foundation
import GPT2Engine
import GPT2Model
import Record

enum Check: Command {
  static let description = CommandDescription(
    name: "check",
    summary: "compares every variant with reference logits and formulas; exits 4 if one fails",
    options: [
      Option(
        "--model", value: "M", help: "check only this model's references; use naive's logits if it has none"),
      .variants, .threadList,
      .reference,
      Option(
        "--timeout", value: "S",
        help: "seconds that a worker may take for one reference (default \(defaultTimeout))"),
    ])

  private static let defaultTimeout = 3600

  /// Each operation at a shape with tails; workers take its ragged shapes too.
  private static let operations: [OperationShape] = [
    .embedding(rows: 5, channels: 130, vocabulary: 100), .layerNorm(rows: 5, channels: 130),
    .attention(rows: 5, heads: 3, headSize: 20, depth: 60), .softmax(rows: 5, heads: 3, depth: 60),
    .gelu(rows: 5, channels: 1300), .sampling(vocabulary: 1000, choice: .topK),
    .matmul(m: 17, k: 770, n: 193),
  ]

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
      console.note("no reference is for \(model.name): naive's logits are used instead")
    }
    for folder in folders { _ = try ReferenceCase(folder: folder) }
    let known = try KnownContinuations(in: path, model: model, project)
    for line in known.skipped { console.note(line) }
    let requests =
      try requests(folders, model, project) + known.requests.map { CheckRequest(continuations: [$0]) }
    let operations = model == nil && arguments.string("--reference") == nil ? Self.operations : []
    console.print(line("variant", "reference", "max error", "allowed", "NMSE", "argmax", "check"))
    var isSound = true
    var isWhole = true
    for contestant in options.contestants {
      do {
        var hasPassed = true
        try check(contestant, model, requests, operations, timeout) { row in
          console.print(text(of: row))
          hasPassed = hasPassed && row.passed
        }
        isSound = isSound && hasPassed
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
      let ids = try lengths.map { try prompts.make(tokens: $0, batch: 1).prompts[0] }
      return [CheckRequest(oraclePrompts: ids)]
    }
    return folders.map { CheckRequest(references: [$0]) }
  }

  private static func check(
    _ contestant: Contestant, _ model: ModelSource?, _ requests: [CheckRequest],
    _ operations: [OperationShape], _ timeout: Int, onRow: (Correctness) -> Void
  ) throws {
    let worker = try Worker(contestant, timeoutSeconds: timeout)
    defer { worker.stop() }
    try worker.load(model: model?.name)
    let found = try operations.flatMap { try worker.check(CheckRequest(operation: $0)) }
    if let row = found.asOneRow(named: "operations") { onRow(row) }
    for request in requests { try worker.check(request).forEach(onRow) }
  }

  /// The table's line for a result.
  private static func text(of row: Correctness) -> String {
    func number(_ value: Double?) -> String { value.map { String(format: "%.1e", $0) } ?? "" }
    return line(
      row.variant + (row.threads > 1 ? " t\(row.threads)" : ""), row.reference,
      number(row.maxAbsoluteError), number(row.tolerance > 0 ? row.tolerance : nil), number(row.nmse),
      row.argmaxCompared > 0 ? "\(row.argmaxAgreed)/\(row.argmaxCompared)" : "", row.passed ? "pass" : "FAIL: \(row.failure ?? "")")
  }

  private static func line(_ cells: String...) -> String {
    let widths = [14, 20, 9, 9, 9, 11, 0]
    return zip(cells, widths).map { $0 + String(repeating: " ", count: max($1 - $0.count, 0)) }
      .joined(separator: "  ")
  }
}

extension [Correctness] {
  /// The first that failed, which says whose failure it is; otherwise the one that came nearest to what is allowed. Nil
  /// where there is none.
  func asOneRow(named name: String) -> Correctness? {
    func share(_ row: Correctness) -> Double { row.tolerance > 0 ? (row.maxAbsoluteError ?? 0) / row.tolerance : 0 }
    guard var row = first(where: { !$0.passed }) ?? self.max(by: { share($0) < share($1) }) else { return nil }
    row.failure = row.failure.map { "\(row.reference): \($0)" }
    row.reference = name
    return row
  }
}

/// The known continuations that can be checked here: a file of them each, and the model that is to give them.
struct KnownContinuations {
  static let fileName = "continuations.json"

  let requests: [ContinuationRequest]
  /// Why others are left out, a line each.
  let skipped: [String]

  /// - Parameters:
  ///   - path: a folder as `--reference` takes it.
  ///   - model: the only model of interest; nil for those that the files name.
  /// - Throws: `ModelError` for a file or a model that cannot be read.
  init(in path: String, model: ModelSource?, _ project: Project) throws {
    var requests: [ContinuationRequest] = []
    var skipped: [String] = []
    let checkpoint = try model.map { try $0.open(cacheFolder: project.weights) }
    for folder in References.folders(with: Self.fileName, in: path) {
      let file = "\(folder)/\(Self.fileName)"
      let known = try ContinuationCase(path: file)
      let usual = project.path(ofModel: known.model)
      if model == nil, !Self.isThere(usual) {
        skipped.append("\(known.name): skipped, \(known.model) is not there; \(known.howToGet)")
        continue
      }
      let opened = try checkpoint ?? ModelSource(usual).open(cacheFolder: project.weights)
      guard let difference = known.difference(to: opened) else {
        requests.append(ContinuationRequest(file: file, model: model?.name ?? usual))
        continue
      }
      if let model, (try? ModelSource(usual))?.isSame(as: model) != true { continue }
      skipped.append(
        "\(known.name): skipped, \(model?.name ?? known.model) is another model: \(difference)")
    }
    (self.requests, self.skipped) = (requests, skipped)
  }

  /// A folder may hold a vocabulary and no weights.
  private static func isThere(_ model: String) -> Bool {
    Output.isFolder(model).map { !$0 || ModelFolder.holdsWeights(model) } ?? false
  }
}
