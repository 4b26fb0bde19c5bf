import GPT2Model
import Record
import Reporting

enum Ops: Command {
  static let description = CommandDescription(
    name: "ops", summary: "checks and times every kernel on GPT-2's other operations, each alone",
    examples: [
      ("every operation at the sizes of GPT-2 124M", "gpt2-bench ops"),
      (
        "attention of one new position, by how many came before",
        "gpt2-bench ops --ops attention --rows 1 -d 0,128,1023"
      ),
    ],
    options: [
      Option(
        "--ops", value: "A,B", in: .subject,
        choices: OperationShape.Kind.ofOps.map(\.rawValue) + ["all"], default: "all",
        help: OperationShape.Kind.ofOps.map(\.rawValue).joined(separator: ", ")),
      Option(
        "--model", value: "MODEL", in: .subject, choices: ModelSource.namedSynthetics, default: defaultModel,
        help: "the model whose sizes the operations have; no weights are read"),
      Option(
        "--rows", value: "N,…", in: .subject,
        default: defaultRows.map(String.init).joined(separator: ","),
        help: "new positions that are computed together"),
      Option(
        "-d", "--depth", value: "N,…", in: .subject, default: "\(defaultDepth)",
        help: "positions before them, for attention and softmax"),
      .kv,
    ] + KernelBench.options(of: .operations))

  private static let defaultModel = "synthetic:gpt2"
  private static let defaultRows = [1, 64]
  private static let defaultDepth = 512

  static func run(_ arguments: Arguments, _ console: Console) throws -> ExitCode {
    let shapes = try shapes(arguments, Project())
    return try KernelBench.run(.operations, shapes, sizedBy: "--rows, -d", arguments, console)
  }

  /// - Throws: `UsageError`; a `ModelError` for a model that there is not.
  static func shapes(_ arguments: Arguments, _ project: Project) throws -> [OperationShape] {
    let kinds = try kinds(arguments.string("--ops") ?? "all")
    let configuration = try configuration(arguments.string("--model") ?? defaultModel, project)
    let context = configuration.context
    let rows = try arguments.integers("--rows", in: 1...context) ?? defaultRows.map { min($0, context) }
    let most = rows.max() ?? 1
    let depths = try arguments.integers("-d", in: 0...Int(Int32.max)) ?? [min(defaultDepth, context - most)]
    if let deepest = depths.max(), deepest > context - most {
      throw UsageError(
        arguments.typed("-d"), found: "\(deepest)",
        expected: "at most \(context - most): the context of \(context) without \(most) new positions")
    }
    return OperationShape.Kind.ofOps.filter(kinds.contains).flatMap {
      make($0, configuration, rows: rows, depths: depths)
    }.uniqued()
  }

  private static func kinds(_ text: String) throws -> [OperationShape.Kind] {
    guard text != "all" else { return OperationShape.Kind.ofOps }
    return try text.split(separator: ",", omittingEmptySubsequences: false).map { word in
      guard let kind = OperationShape.Kind.ofOps.first(where: { $0.rawValue == word }) else {
        throw UsageError(
          "--ops", found: String(word), oneOf: OperationShape.Kind.ofOps.map(\.rawValue), or: "all")
      }
      return kind
    }
  }

  /// A synthetic model's without generating its weights.
  private static func configuration(_ name: String, _ project: Project) throws -> Configuration {
    let source = try project.model(name)
    guard case .synthetic(let configuration, _) = source else {
      return try source.open(cacheFolder: project.weights).configuration
    }
    return configuration
  }

  private static func make(
    _ kind: OperationShape.Kind, _ c: Configuration, rows: [Int], depths: [Int]
  ) -> [OperationShape] {
    switch kind {
    case .embedding:
      rows.map { .embedding(rows: $0, channels: c.channels, vocabulary: c.vocabulary) }
    case .layerNorm: rows.map { .layerNorm(rows: $0, channels: c.channels) }
    case .attention:
      depths.flatMap { depth in
        rows.map { .attention(rows: $0, heads: c.heads, headSize: c.headSize, depth: depth) }
      }
    case .softmax:
      depths.flatMap { depth in rows.map { .softmax(rows: $0, heads: c.heads, depth: depth) } }
    case .gelu: rows.map { .gelu(rows: $0, channels: c.hidden) }
    case .sampling:
      OperationShape.Choice.allCases.map { .sampling(vocabulary: c.vocabulary, choice: $0) }
    case .matmul: []
    }
  }
}
