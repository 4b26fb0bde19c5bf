/// A training as one page, `training.html`: what it came to, its curves, what the model wrote, and how it was trained.
public struct TrainingReport: Sendable {
  /// What the model wrote after a step.
  public struct Sample: Sendable, Equatable, Codable {
    public let step: Int
    public let text: String

    public init(step: Int, text: String) { (self.step, self.text) = (step, text) }
  }

  public let history: TrainingHistory
  public let samples: [Sample]
  /// Steps that the training is to have.
  public let steps: Int
  /// Where the model lies.
  public let folder: String
  /// Model, data, and how it was trained, in words.
  public let facts: [(name: String, text: String)]
  /// As it can be given again.
  public let command: [String]
  /// Of the program.
  public let version: String

  public init(
    history: TrainingHistory, samples: [Sample], steps: Int, folder: String,
    facts: [(name: String, text: String)], command: [String], version: String
  ) {
    (self.history, self.samples, self.steps) = (history, samples, steps)
    (self.folder, self.facts, self.command, self.version) = (folder, facts, command, version)
  }

  public static let fileName = "training.html"

  public var html: String {
    HTMLPage(
      title: title, opening: opening,
      sections: [loss, course, writing, evaluations, method].compactMap { $0 },
      footer: "Made by gpt2-bench \(version) from \(TrainingHistory.fileName), which holds every step."
    ).text
  }

  private var title: String { "training of \(folder)" }

  private var opening: Markup {
    .element(
      "header", [:],
      [
        .element("h1", text: title), .element("p", ["class": "answer"], [.prose(answer)]),
        .element("div", ["class": "cards"], cards.map(\.markup)),
        .element(
          "ul", ["class": "facts"],
          facts.map { name, text in
            .element("li", [:], [.element("b", text: name), .text(" "), .prose(Prose(text))])
          }),
      ])
  }

  private var answer: Prose {
    guard let last = history.rows.last else { return "No step has been taken yet." }
    let done =
      last.step >= steps
      ? "After \(counted(last.step, "step"))" as Prose : "After \(last.step) of \(counted(steps, "step"))"
    guard let validation = history.lastEvaluation?.validation else {
      return "\(done) the loss is \(Self.nats(history.recentLoss)) nats a token."
    }
    return "\(done) a token of text that was kept back takes \(Self.nats(validation)) nats."
  }

  private var cards: [Card] {
    guard let last = history.rows.last else { return [] }
    let best = history.best.map {
      ("lowest loss of text kept back, step \($0.step)", Self.nats($0.validation), "nats a token")
    }
    let figures = [
      (
        "loss of the last \(counted(history.recent.count, "step"))", Self.nats(history.recentLoss),
        "nats a token"
      ), best,
      ("speed, all steps", NumberText.significant(history.meanSpeed), "tok/s"),
      ("time, steps alone", Self.duration(last.seconds), ""),
    ].compactMap { $0 }
    return figures.map { name, figure, unit in Card(title: Prose(name), figure: figure, unit: unit) }
  }

  public static func nats(_ loss: Double) -> String { NumberText.fixed(loss, 4) }

  /// `41 s`, `3 min 20 s`, `2 h 05 min`
  public static func duration(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    switch whole {
    case ..<10: return NumberText.significant(seconds, 2) + " s"
    case ..<60: return "\(whole) s"
    case ..<3600: return "\(whole / 60) min \(two(whole % 60)) s"
    default: return "\(whole / 3600) h \(two(whole / 60 % 60)) min"
    }
  }
}
