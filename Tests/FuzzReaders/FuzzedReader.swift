import Foundation
import GPT2Engine
import GPT2Model
import Record
import Reporting
import Training

/// A reader, and what is done with what it took: everything that the program would do, on small inputs.
enum FuzzedReader {
  struct Unknown: Error {}

  /// Models above that many parameters are opened and not computed with.
  private static let mostParameters = 1 << 16
  /// Steps of training on more tokens are not taken.
  private static let mostTokens = 1 << 10

  /// - Parameter words: the reader's name, then what it reads.
  static func read(_ words: [String]) throws {
    let rest = Array(words.dropFirst())
    switch words.first {
    case "weights": try open(ModelSource(rest[0]))
    case "synthetic": try openSynthetic(nameIn: rest[0])
    case "tokenizer": try use(Tokenizer(folder: rest[0]))
    case "npy": _ = try NPY(path: rest[0])
    case "reference": try check(ReferenceCase(folder: rest[0]))
    case "continuations": try check(ContinuationCase(path: rest[0]))
    case "training": try resume(rest[0])
    case "gradients": try check(GradientReference(path: rest[0]))
    case "ids": try use(TokenData(npy: rest[0], vocabulary: 7, validation: 0.25, context: 2))
    case "text": try learn(rest[0])
    case "record": try report(rest[1], as: rest[0])
    case "compare":
      let (base, head) = (try Record.read(path: rest[1]), try Record.read(path: rest[2]))
      try show(
        Comparison(base: base, head: head, thresholds: Thresholds(), baseLabel: rest[1], headLabel: rest[2]),
        head, as: rest[0])
    case "explain": try explain(Record.read(path: rest[0]), Record.read(path: rest[1]))
    default: throw Unknown()
    }
  }

  // MARK: Models

  private static func open(_ source: ModelSource) throws {
    let checkpoint = try source.open(cacheFolder: "cache")
    let configuration = checkpoint.configuration
    for index in configuration.parameters.indices {
      _ = checkpoint.tensor(at: index).reduce(into: UInt32(0)) { $0 ^= $1.bitPattern }
    }
    if let tokenizer = try source.tokenizer(for: configuration) { try use(tokenizer) }
    guard configuration.parameterCount <= mostParameters else { return }
    let engine = try Engine(checkpoint, variant: .preferred, threads: 1)
    _ = try engine.logits(of: [0, configuration.vocabulary - 1])
  }

  private static func openSynthetic(nameIn file: String) throws {
    let name = String(decoding: try Data(contentsOf: URL(fileURLWithPath: file)), as: UTF8.self)
    let source = try ModelSource(name)
    guard case .synthetic(let configuration, _) = source,
      configuration.parameterCount <= mostParameters
    else { return }
    try open(source)
  }

  /// Bytes for which a damaged vocabulary has no token are refused, and by that name alone.
  private static func use(_ tokenizer: Tokenizer) throws {
    do {
      let ids = try tokenizer.encode("the the, ab<|endoftext|><|user|>\u{0} é 日本\u{1F600}\r\n")
      _ = try tokenizer.decode(ids)
    } catch TokenizerError.byteWithoutToken {}
    for id in [0, tokenizer.vocabularyCount - 1, tokenizer.vocabularyCount] {
      _ = try? tokenizer.decode([id])
    }
  }

  // MARK: Known results

  private static func small(_ name: String) throws -> Engine {
    try Engine(ModelSource("synthetic:1,2,4,7,5").open(cacheFolder: "cache"), variant: .preferred, threads: 1)
  }

  private static func check(_ reference: ReferenceCase) throws {
    _ = try small(reference.model).check(against: reference).result
  }

  private static func check(_ known: ContinuationCase) throws {
    let engine = try small(known.model)
    guard known.difference(to: engine.checkpoint) == nil else { return }
    _ = try engine.check(against: known, tokenizer: nil).result
  }

  // MARK: Training

  private static func resume(_ folder: String) throws {
    let saved = try TrainingCheckpoint(folder: folder)
    let journal: TrainingJournal = try saved.journal()
    let (shape, options) = (saved.model.configuration, saved.progress.options)
    try journal.check(
      source: saved.path, steps: saved.progress.step, vocabulary: shape.vocabulary, context: shape.context)
    let history = journal.history
    _ = history.csv + history.sparkline(width: 24) + history.plot(width: 80)
    _ =
      TrainingReport(
        history: history, samples: journal.samples, steps: options.steps, folder: folder,
        facts: [("Began with", journal.model ?? "new weights")], command: journal.command, version: "0"
      ).html
    guard shape.parameterCount <= mostParameters, options.tokensPerStep <= mostTokens else { return }
    let trainer = try Trainer(saved.model, variant: .preferred, threads: 1, options: options)
    try saved.restore(trainer)
    let window = Window((0...options.context).map { Int32($0 % shape.vocabulary) })
    _ = try trainer.step(Array(repeating: window, count: options.windowsPerStep))
  }

  private static func check(_ reference: GradientReference) throws {
    guard reference.options.tokensPerStep <= mostTokens else { return }
    let trainer = try Trainer(
      ModelSource("synthetic:1,2,4,7,5").open(cacheFolder: "cache"), variant: .preferred, threads: 1,
      options: reference.options)
    _ = try reference.check(trainer)
    _ = try reference.firstWrongStep(of: trainer)
  }

  private static func use(_ data: TokenData) {
    for order in WindowOrder.allCases { _ = data.windows(step: 3, count: 2, order: order, seed: 1) }
    _ = data.validationWindows(atMost: 2)
  }

  private static func learn(_ path: String) throws {
    let text = try TrainingText(path, validation: 0.25)
    let tokenizer = try text.learnTokenizer(vocabulary: 260)
    try use(
      TokenData(text, tokenizer, vocabulary: tokenizer.vocabularyCount, context: 2, inFolder: "."))
  }

  // MARK: Records

  private static func report(_ path: String, as format: String) throws {
    switch try RecordFile.read(path: path) {
    case .run(let record): try show(record, as: format)
    case .builds(let record):
      try record.settings.checkTexts(path: path)
      try show(Comparison(record), Record(headOf: record), as: format)
    }
  }

  private static func show(_ record: Record, as format: String) throws {
    switch format {
    case "csv":
      _ = CSVReport(record).results
      _ = CSVReport(record).samples
      _ = ProfileCSV(record).text
    case "html": _ = HTMLReport(record).text
    case "json": _ = try record.encode()
    case "github": _ = RunReport(record).gitHubComment
    case "github-action": _ = try BenchmarkActionReport(record).json
    case "bmf": _ = try BencherReport(record).json
    case "llama-bench" where record.kind == .endToEnd: _ = LlamaBenchReport(record).csv
    case "llama-bench-sql" where record.kind == .endToEnd: _ = LlamaBenchReport(record).sql
    default: _ = RunReport(record).markdown
    }
  }

  private static func show(_ comparison: Comparison, _ head: Record, as format: String) throws {
    _ = comparison.exitCode
    switch format {
    case "csv": _ = comparison.csv
    case "json": _ = try comparison.json
    case "html": _ = comparison.html
    case "github": _ = comparison.gitHubComment + comparison.gitHubAnnotations.joined()
    case "github-action", "bmf": try show(head, as: format)
    default: _ = comparison.markdown
    }
  }

  /// Every profile of the one against every one of the other.
  private static func explain(_ from: Record, _ to: Record) throws {
    for a in from.profiles ?? [] {
      for b in to.profiles ?? [] {
        guard let first = ProfileTurns(a).whole, let second = ProfileTurns(b).whole,
          let explanation = try? Explanation(
            from: first, named: "a", to: second, named: "b",
            ceiling: to.ceilings.first { $0.threads == second.threads },
            noiseFloor: [ProfileTurns(a).spread, ProfileTurns(b).spread].compactMap { $0 }.max())
        else { continue }
        _ = explanation.text(colour: false) + explanation.markdown
        _ = ExplanationFiles.csv([explanation]) + ExplanationFiles.html([explanation])
        _ = try ExplanationFiles.json([explanation])
      }
    }
  }
}
