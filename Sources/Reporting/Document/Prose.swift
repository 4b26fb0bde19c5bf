/// A line of text with code spans and bold parts, for Markdown, HTML and terminals alike. In a literal, `**` opens and
/// ends a bold part and a backtick a code span; a mark without its partner is itself. What is interpolated is text,
/// whatever it holds: a name from a record can be no mark.
public struct Prose: Sendable, Equatable, ExpressibleByStringInterpolation {
  struct Run: Sendable, Equatable {
    var text: String
    var isCode = false
    var isStrong = false
  }

  private(set) var runs: [Run]

  init(runs: [Run]) { self.runs = runs.filter { !$0.text.isEmpty } }

  /// Plain text; line ends become blanks.
  public init(_ text: String) { self.init(runs: [Run(text: text.singleLine)]) }

  public init(stringLiteral value: String) {
    var interpolation = StringInterpolation(literalCapacity: value.count, interpolationCount: 0)
    interpolation.appendLiteral(value)
    self.init(stringInterpolation: interpolation)
  }

  public init(stringInterpolation: StringInterpolation) { self.init(runs: stringInterpolation.finished) }
  static func code(_ text: String) -> Prose { Prose(runs: [Run(text: text.singleLine, isCode: true)]) }

  var isEmpty: Bool { runs.isEmpty }
  /// Without marks.
  var plain: String { runs.map(\.text).joined() }

  /// With marks.
  var markdown: String {
    var text = ""
    var isStrong = false
    for run in runs {
      if run.isStrong != isStrong { text += "**" }
      isStrong = run.isStrong
      text += run.isCode ? "`\(run.text)`" : run.text
    }
    return isStrong ? text + "**" : text
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
    public mutating func appendInterpolation(_ text: String) { add(text.singleLine) }
    public mutating func appendInterpolation(_ value: some BinaryInteger) { add(String(value)) }
    public mutating func appendInterpolation(_ value: some BinaryFloatingPoint) { add("\(value)") }

    /// A line within a line keeps its marks.
    public mutating func appendInterpolation(_ prose: Prose) {
      for run in prose.runs {
        runs.append(Run(text: run.text, isCode: isCode || run.isCode, isStrong: isStrong || run.isStrong))
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

    private mutating func add(_ text: String) {
      guard !text.isEmpty else { return }
      if let last = runs.last, last.isCode == isCode, last.isStrong == isStrong {
        runs[runs.count - 1].text += text
      } else {
        runs.append(Run(text: text, isCode: isCode, isStrong: isStrong))
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

extension String {
  /// With blanks for line ends, so that a message stays on its line.
  var singleLine: String {
    contains(where: \.isNewline) ? split(whereSeparator: \.isNewline).joined(separator: " ") : self
  }
}
