import Foundation
import GPT2Engine
import GPT2Model
import Record
import Reporting
import Training

enum Check: Command {
  static let description = CommandDescription(
    name: "check",
    summary: "compares every variant with reference logits, gradients and formulas; exits 4 if one fails",
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
      .variants, .kv, .threadList, .reference,
      MeasuringOptions.timeout.defaulting(to: "\(defaultTimeout)"),
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
    let holdsText = try arguments.string("--reference") == nil && isTiny(model, project)
    let trains = options.contestants.contains { $0.variant?.trains ?? false }
    let knownGradients = try KnownGradients(in: path, project).of(model)
    let (gradients, skipped) = knownGradients.fitting()
    for line in skipped where trains { console.note(line) }
    let forward =
      try requests(folders, model, project)
      + continuations.requests.map { CheckRequest(continuations: [$0]) }
      + (holdsText ? [CheckRequest(perplexity: project.text)] : [])
    let operations = model == nil && arguments.string("--reference") == nil ? Self.operations : []
    guard trains || !forward.isEmpty || !operations.isEmpty || knownGradients.cases.isEmpty else {
      throw UsageError(
        "--variants", found: options.contestants.map(\.label).uniqued().joined(separator: ","),
        expected: "one with float32 weights: only those have the gradients that \(path) holds")
    }
    let asked = forward + gradients.requests.map { CheckRequest(gradients: [$0]) }
    guard !asked.isEmpty || !operations.isEmpty else {
      throw RunError("\(path): nothing was checked: every reference in it was skipped")
    }
    let table =
      format == nil
      ? CheckTable(
        console, options.contestants,
        references: trains ? gradients.cases.map { Correctness.gradients(of: $0.name) } : []) : nil
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
          for request in asked { keep(try worker.check(request)) }
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

  /// Whether the tiny model is among those that are checked.
  private static func isTiny(_ model: ModelSource?, _ project: Project) throws -> Bool {
    try model.map { try ModelSource(project.tinyModel).isSame(as: $0) } ?? true
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
  private struct Column: Sendable {
    let title: String
    var width: Int
    /// 0 for a column that always stays; else the highest is left out first where a terminal has no room for all.
    var rank = 0
    let text: @Sendable (Correctness) -> String
  }

  private static let columns: [Column] = [
    Column(title: "variant", width: 14) { label($0.variant, threads: $0.threads) },
    Column(title: "reference", width: 20) { $0.reference },
    Column(title: "max error", width: 9, rank: 4) { number($0.maxAbsoluteError) },
    Column(title: "allowed", width: 9, rank: 5) { number($0.tolerance > 0 ? $0.tolerance : nil) },
    Column(title: "NMSE", width: 9, rank: 6) { number($0.nmse) },
    Column(title: "argmax", width: 11, rank: 3) {
      $0.argmaxCompared > 0 ? "\($0.argmaxAgreed)/\($0.argmaxCompared)" : ""
    },
  ]

  /// Of weights or a cache with fewer bits.
  private static let quality: [Column] = [
    Column(title: "KL nats", width: 7, rank: 1) { number($0.kl) },
    Column(title: "top-1", width: 5, rank: 2) { percent($0.top1, decimals: 1) },
    Column(title: "Δppl %", width: 6) { percent($0.deltaPerplexity, decimals: 3) },
  ]

  private static let verdict = "check"

  private let console: Console
  private let columns: [Column]

  /// - Parameter references: names that may be longer than the column is wide.
  init(_ console: Console, _ contestants: [Contestant], references: [String]) {
    self.console = console
    let labels = contestants.map { Self.label($0.label, threads: $0.threads) }
    var kept = Self.columns + (contestants.contains { !$0.isExact } ? Self.quality : [])
    for (column, texts) in [labels, references].enumerated() {
      kept[column].width = texts.reduce(kept[column].width) { max($0, $1.count) }
    }
    func room() -> Int { kept.reduce(Self.verdict.count) { $0 + $1.width + 2 } }
    while console.isTerminal, room() > console.width,
      let least = kept.indices.filter({ kept[$0].rank > 0 }).max(by: { kept[$0].rank < kept[$1].rank })
    { kept.remove(at: least) }
    columns = kept
  }

  private static func label(_ variant: String, threads: Int) -> String {
    variant + (threads > 1 ? " t\(threads)" : "")
  }

  private static func number(_ value: Double?) -> String { value.map { String(format: "%.1e", $0) } ?? "" }

  private static func percent(_ share: Double?, decimals: Int) -> String {
    share.map { String(format: "%.\(decimals)f", 100 * $0) } ?? ""
  }

  func begin() { print(columns.map(\.title) + [Self.verdict]) }

  func show(_ row: Correctness) {
    let reason = row.failure ?? ""
    let verdict = row.passed ? "pass" : console.isTerminal ? "FAIL" : "FAIL: \(reason)"
    print(columns.map { $0.text(row) } + [verdict])
    if console.isTerminal, !row.passed { console.print([["", reason]]) }
  }

  private func print(_ cells: [String]) {
    console.print(alignedColumns([cells], widths: columns.map(\.width))[0])
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

  let requests: [ModelFileRequest]
  /// Why others are left out, a line each.
  let skipped: [String]

  /// - Parameters:
  ///   - path: a folder as `--reference` takes it.
  ///   - model: the only model of interest; nil for those that the files name.
  /// - Throws: `ModelError` for a file or a model that cannot be read.
  init(in path: String, model: ModelSource?, _ project: Project) throws {
    var requests: [ModelFileRequest] = []
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
        requests.append(ModelFileRequest(file: file, model: model?.name ?? usual))
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
