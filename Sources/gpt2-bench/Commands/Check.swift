import Foundation
import GPT2Engine
import GPT2Model
import Record
import Reporting

enum Check: Command {
  static let description = CommandDescription(
    name: "check",
    summary: "compares every variant with reference logits and formulas; exits 4 if one fails",
    examples: [
      ("every variant against every reference, some minutes", "gpt2-bench check"),
      ("a model of your own, against naive's logits", "gpt2-bench check --model ./my-model"),
      ("one variant on one thread", "gpt2-bench check --variants packed -t 1"),
    ],
    options: [
      Option(
        "--model", value: "MODEL", in: .subject, choices: ModelSource.namedSynthetics,
        default: "the models of all references",
        help: "check only this model's references; use naive's logits if it has none"),
      .variants, .threadList, .reference, MeasuringOptions.timeout.defaulting(to: "\(defaultTimeout)"),
      .resultFormat,
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
    let format = try arguments.choice("--format", of: ResultFormat.allCases)
    let project = try Project()
    let options = try MeasuringOptions(arguments)
    let timeout = try arguments.integer("--timeout", in: 1...86_400) ?? defaultTimeout
    let path = arguments.string("--reference") ?? project.references
    let known = try References.folders(in: path)
    let model = try arguments.string("--model").map(project.model)
    let folders = try known.filter { folder in
      let reference = try ReferenceCase(folder: folder)
      return try model.map { try project.model(of: reference).isSame(as: $0) } ?? true
    }
    if let model, folders.isEmpty {
      console.note("no reference is for \(model.name): naive's logits are used instead")
    }
    let continuations = try KnownContinuations(in: path, model: model, project)
    for line in continuations.skipped { console.note(line) }
    let requests =
      try requests(folders, model, project)
      + continuations.requests.map { CheckRequest(continuations: [$0]) }
    let operations = model == nil && arguments.string("--reference") == nil ? Self.operations : []
    let table = format == nil ? CheckTable(console) : nil
    table?.begin()
    var (all, isWhole): ([Correctness], Bool) = ([], true)
    func keep(_ rows: [Correctness]) {
      for row in rows { table?.show(row) }
      all += rows
    }
    let driver = Driver(model: model?.name, timeoutSeconds: timeout, console)
    let turns = options.contestants.map { contestant in
      Turn(
        contestant: contestant, stays: false,
        ask: { worker in
          let rows = try operations.flatMap { try worker.check(CheckRequest(operation: $0)) }
          keep([rows.asOneRow(named: "operations")].compactMap { $0 })
          for request in requests { keep(try worker.check(request)) }
        },
        failed: { error in
          if driver.isCancelled { return }
          console.warn("\(error)")
          isWhole = false
        })
    }
    try driver.run(turns)
    if driver.isCancelled { return Interruption.shared.exitCode }
    if let format { console.write(try CheckReport(all).text(as: format)) }
    return all.allSatisfy(\.passed) ? (isWhole ? .done : .error) : .failedCheck
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
}

/// The checks as they come, a line each.
private struct CheckTable {
  private static let widths = [14, 20, 9, 9, 9, 11]
  private static let square = 4

  private let console: Console
  /// The normalised error is left out where a terminal has no room for it.
  private let showsSquare: Bool

  init(_ console: Console) {
    self.console = console
    showsSquare = !console.isTerminal || console.width >= 90
  }

  func begin() { print(["variant", "reference", "max error", "allowed", "NMSE", "argmax", "check"]) }

  func show(_ row: Correctness) {
    func number(_ value: Double?) -> String { value.map { String(format: "%.1e", $0) } ?? "" }
    let reason = row.failure ?? ""
    print([
      row.variant + (row.threads > 1 ? " t\(row.threads)" : ""), row.reference, number(row.maxAbsoluteError),
      number(row.tolerance > 0 ? row.tolerance : nil), number(row.nmse),
      row.argmaxCompared > 0 ? "\(row.argmaxAgreed)/\(row.argmaxCompared)" : "",
      row.passed ? "pass" : console.isTerminal ? "FAIL" : "FAIL: \(reason)",
    ])
    if console.isTerminal, !row.passed { console.print([["", reason]]) }
  }

  private func print(_ cells: [String]) {
    let kept = cells.indices.filter { showsSquare || $0 != Self.square }
    let widths = kept.compactMap { $0 < Self.widths.count ? Self.widths[$0] : nil }
    console.print(alignedColumns([kept.map { cells[$0] }], widths: widths)[0])
  }
}

extension [Correctness] {
  /// The first that failed, which says whose failure it is; otherwise the one that came nearest to what is allowed. Nil
  /// where there is none.
  func asOneRow(named name: String) -> Correctness? {
    func share(_ row: Correctness) -> Double {
      row.tolerance > 0 ? (row.maxAbsoluteError ?? 0) / row.tolerance : 0
    }
    guard var row = first(where: { !$0.passed }) ?? self.max(by: { share($0) < share($1) }) else {
      return nil
    }
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
      skipped.append("\(known.name): skipped, \(model?.name ?? known.model) is another model: \(difference)")
    }
    (self.requests, self.skipped) = (requests, skipped)
  }

  /// A folder may hold a vocabulary and no weights.
  private static func isThere(_ model: String) -> Bool {
    Output.isFolder(model).map { !$0 || ModelFolder.holdsWeights(model) } ?? false
  }
}
