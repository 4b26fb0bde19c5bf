import Files

/// A line of text with code spans and bold parts, for Markdown, HTML and terminals alike. In a literal, `**` opens and
/// ends a bold part and a backtick a code span; a mark without its partner is itself. What is interpolated is text,
/// whatever it holds: a name from a record can be no mark, and nothing in it acts on what shows it.
public struct Prose: Sendable, Equatable, ExpressibleByStringInterpolation {
  struct Run: Sendable {
    var text: String
    var isCode = false
    var isStrong = false
    /// Whether it was no literal: Markdown then escapes what would be a mark. Code has no marks.
    var isInert = false
    /// Where it leads.
    var target: String?

    func goes(with other: Run) -> Bool {
      isCode == other.isCode && isStrong == other.isStrong && (isCode || isInert == other.isInert)
        && target == other.target
    }
  }

  private(set) var runs: [Run]

  init(runs: [Run]) { self.runs = Self.joined(runs) }

  private static func joined(_ runs: [Run]) -> [Run] {
    runs.reduce(into: []) { joined, run in
      guard !run.text.isEmpty else { return }
      if let last = joined.last, last.goes(with: run) {
        joined[joined.count - 1].text += run.text
      } else {
        joined.append(run)
      }
    }
  }

  /// Plain text; line ends become blanks.
  public init(_ text: String) { self.init(runs: [Run(text: text.safeLine, isInert: true)]) }

  public init(stringLiteral value: String) {
    var interpolation = StringInterpolation(literalCapacity: value.count, interpolationCount: 0)
    interpolation.appendLiteral(value)
    self.init(stringInterpolation: interpolation)
  }

  public init(stringInterpolation: StringInterpolation) { self.init(runs: stringInterpolation.finished) }
  static func link(_ text: String, to target: String) -> Prose {
    Prose(runs: [Run(text: text.safeLine, isInert: true, target: target)])
  }
  static func code(_ text: String) -> Prose { Prose(runs: [Run(text: text.safeLine, isCode: true)]) }

  var isEmpty: Bool { runs.isEmpty }
  /// Without marks.
  var plain: String { runs.map(\.text).joined() }

  /// With marks, and with escapes where text from outside would make others.
  var markdown: String {
    written { run in
      let text =
        run.isCode ? MarkdownText.code(run.text) : run.isInert ? MarkdownText.inert(run.text) : run.text
      return run.target.map { "[\(text)](\($0))" } ?? text
    }
  }

  /// With marks, for a terminal, which knows no escapes.
  var marked: String { written { $0.isCode ? "`\($0.text)`" : $0.text } }

  private func written(_ text: (Run) -> String) -> String {
    var line = ""
    var isStrong = false
    for run in runs {
      if run.isStrong != isStrong { line += "**" }
      isStrong = run.isStrong
      line += text(run)
    }
    return isStrong ? line + "**" : line
  }

  /// By what is shown, not by where it came from.
  public static func == (left: Prose, right: Prose) -> Bool {
    left.shown.elementsEqual(right.shown) { $0.text == $1.text && $0.goes(with: $1) }
  }

  private var shown: [Run] {
    Self.joined(
      runs.map { run in
        var run = run
        run.isInert = false
        return run
      })
  }

  /// The runs of each stretch that is bold or is not.
  var stretches: [[Run]] {
    runs.reduce(into: []) { stretches, run in
      if stretches.last?.last?.isStrong == run.isStrong {
        stretches[stretches.count - 1].append(run)
      } else {
        stretches.append([run])
      }
    }
  }

  static func + (left: Prose, right: Prose) -> Prose { Prose(runs: left.runs + right.runs) }

  public struct StringInterpolation: StringInterpolationProtocol {
    private var runs: [Run] = []
    private var isCode = false
    private var isStrong = false
    /// The run that opened with a mark which has not been closed.
    private var openCode: Int?
    private var openStrong: Int?

    public init(literalCapacity: Int, interpolationCount: Int) {}

    public mutating func appendLiteral(_ literal: String) {
      var rest = literal[...]
      while let mark = rest.firstIndex(where: { $0 == "`" || (!isCode && $0 == "*") }) {
        add(String(rest[..<mark]))
        rest = rest[mark...]
        if rest.hasPrefix("`") {
          isCode.toggle()
          rest = rest.dropFirst()
          openCode = isCode ? open() : nil
        } else if rest.hasPrefix("**") {
          isStrong.toggle()
          rest = rest.dropFirst(2)
          openStrong = isStrong ? open() : nil
        } else {
          add(String(rest.prefix(1)))
          rest = rest.dropFirst()
        }
      }
      add(String(rest))
    }

    /// Text from outside the literal: inert.
    public mutating func appendInterpolation(_ text: String) { add(text.safeLine, isInert: true) }
    public mutating func appendInterpolation(_ value: some BinaryInteger) { add(String(value)) }
    public mutating func appendInterpolation(_ value: some BinaryFloatingPoint) { add("\(value)") }

    /// A line within a line keeps its marks.
    public mutating func appendInterpolation(_ prose: Prose) {
      for run in prose.runs {
        var run = run
        run.isCode = run.isCode || isCode
        run.isStrong = run.isStrong || isStrong
        runs.append(run)
      }
      if !prose.isEmpty { startRun() }
    }

    fileprivate var finished: [Run] {
      var runs = runs
      if let openCode {
        for index in runs.indices.dropFirst(openCode) { runs[index].isCode = false }
        runs[openCode].text = "`" + runs[openCode].text
      }
      if let openStrong {
        for index in runs.indices.dropFirst(openStrong) { runs[index].isStrong = false }
        runs[openStrong].text = "**" + runs[openStrong].text
      }
      return runs
    }

    private mutating func open() -> Int {
      startRun()
      return runs.count - 1
    }

    private mutating func startRun() { runs.append(Run(text: "", isCode: isCode, isStrong: isStrong)) }

    private mutating func add(_ text: String, isInert: Bool = false) {
      guard !text.isEmpty else { return }
      let run = Run(text: text, isCode: isCode, isStrong: isStrong, isInert: isInert)
      if let last = runs.last, last.goes(with: run), last.isInert == isInert {
        runs[runs.count - 1].text += text
      } else {
        runs.append(run)
      }
    }
  }
}

extension [Prose] {
  func joined(separator: Prose = "") -> Prose {
    reduce(into: Prose(runs: [])) { line, part in
      guard !part.isEmpty else { return }
      line = line.isEmpty ? part : line + separator + part
    }
  }
}
