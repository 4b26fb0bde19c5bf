import GPT2Kernels
import GPT2Model

/// What an option is about. A command's help shows its options group by group, in this order.
enum OptionGroup: String, CaseIterable {
  case subject = "What to run"
  case choice = "How tokens are chosen"
  case effort = "How long"
  case learning = "How it learns"
  case judgement = "Checks and comparison"
  case output = "Output"
  case general = "With every subcommand"
}

/// One option of a command. The help, the completions and the parsing of a command line all read it.
struct Option: Sendable {
  let names: [String]
  /// What stands after the name in the help; nil for a flag. It says what shells complete: `takesPath`, `isList`.
  let value: String?
  let isRepeatable: Bool
  let group: OptionGroup
  private let words: @Sendable () -> String
  private let standard: @Sendable () -> String?
  private let known: @Sendable () -> [String]

  /// - Parameters:
  ///   - choices: the values that are known by name; completions offer them.
  ///   - standard: what holds where the option is not given; nil where nothing does.
  ///   - help: made when it is shown: finding what it tells takes time.
  init(
    _ names: String..., value: String? = nil, isRepeatable: Bool = false, in group: OptionGroup = .output,
    choices: @autoclosure @escaping @Sendable () -> [String] = [],
    default standard: @autoclosure @escaping @Sendable () -> String? = nil,
    help: @autoclosure @escaping @Sendable () -> String
  ) {
    (self.names, self.value, self.isRepeatable, self.group) = (names, value, isRepeatable, group)
    (words, self.standard, known) = (help, standard, choices)
  }

  private init(_ option: Option, standard: @escaping @Sendable () -> String?) {
    (names, value, isRepeatable, group) = (option.names, option.value, option.isRepeatable, option.group)
    (words, self.standard, known) = (option.words, standard, option.known)
  }

  /// The same with the default that it has for one command.
  func defaulting(to standard: @autoclosure @escaping @Sendable () -> String) -> Option {
    Option(self, standard: standard)
  }

  /// What it does, in a line.
  var summary: String { words() }

  var standardValue: String? { standard() }

  var choices: [String] { known() }

  /// Whether the value is a path, or may be one.
  var takesPath: Bool {
    ["FILE", "DIR", "RECORD", "PATH", "MODEL", "SUITE"].contains { value?.hasPrefix($0) == true }
  }

  /// Whether the value may be several, with commas between them.
  var isList: Bool { value?.contains(",") == true }

  var help: String { summary + (standardValue.map { " (default: \($0))" } ?? "") }

  var synopsis: String { names.joined(separator: ", ") + (value.map { " " + $0 } ?? "") }
}

extension Option {
  static let model = Option(
    "--model", value: "MODEL", in: .subject, choices: ModelSource.namedSynthetics,
    default: "weights/gpt2 where it has been downloaded, else synthetic:gpt2",
    help: "synthetic:NAME, a folder with a model, or a file: safetensors, GGUF, llm.c's or seed")
  static let models = Option(
    "--model", value: "MODEL,…", in: .subject, choices: ModelSource.namedSynthetics,
    default: model.standardValue, help: "\(model.summary); several run one after the other, a record each")
  static let textModel = model.defaulting(
    to: "weights/gpt2 where it has been downloaded, else weights/tiny")
  static let variants = Option(
    "--variants", value: "A,B", in: .subject, choices: Variant.names + ["all"],
    default: "all that this machine can run",
    help: "variants to run, or all; 'gpt2-bench list variants' lists them")
  static let variant = Option(
    "--variant", value: "V", in: .subject, choices: Variant.names, default: Defaults.variant,
    help: "the variant that runs")
  static let kv = Option(
    "--kv", value: "P", in: .subject, choices: Variant.cachePrecisions.map(\.rawValue),
    default: WeightPrecision.f32.rawValue,
    help: "what cached keys and values are in: f32, or bf16 with \(Variant.takingNarrowCache)")
  static let threadList = Option(
    "-t", "--threads", value: "N,…", in: .subject, default: "all cores",
    help: "thread counts for threaded variants")
  static let threads = Option(
    "-t", "--threads", value: "N", in: .subject, default: "all cores", help: "threads")
  static let repetitions = Option(
    "-r", "--repetitions", value: "N", in: .effort,
    help: "samples wanted of each cell: one variant on one test")
  static let ids = Option(
    "--ids", value: "\"1 2 3\"", in: .subject, help: "token ids instead of text")
  static let seed = Option(
    "--seed", value: "S", in: .subject, default: "1", help: "seed of the random numbers")
  static let reference = Option(
    "--reference", value: "DIR", in: .judgement, default: "Benchmarks/reference",
    help: "a reference case, or a folder of them")
  static let outFolder = Option(
    "--out", value: "DIR", default: "a new one in reports/", help: "folder for the reports")
  static let history = Option(
    "--history", value: "DIR", default: "reports/, or where the folder of --out lies",
    help: "keep the run in a new folder in DIR, and show what changed since the last one there")
  static let outFile = Option(
    "--out", value: "FILE", default: "standard output", help: "write the result to this file")
}
