/// What each step of a training came to. `training.csv` holds it, and `training.html` draws it.
public struct TrainingHistory: Sendable, Equatable, Codable {
  public struct Row: Sendable, Equatable, Codable {
    /// From 1.
    public let step: Int
    /// Of the step's own windows, before it changed the parameters; nats a token.
    public let loss: Double
    /// Of the text that was kept back, after the step; nats a token. Nil where it was not evaluated.
    public var validation: Double?
    public let learningRate: Double
    /// The length of the whole gradient before it was clipped.
    public let gradientNorm: Double
    public let tokensPerSecond: Double
    /// Of all steps up to this one, without evaluations and checkpoints.
    public let seconds: Double

    public init(
      step: Int, loss: Double, validation: Double? = nil, learningRate: Double, gradientNorm: Double,
      tokensPerSecond: Double, seconds: Double
    ) {
      (self.step, self.loss, self.validation) = (step, loss, validation)
      (self.learningRate, self.gradientNorm) = (learningRate, gradientNorm)
      (self.tokensPerSecond, self.seconds) = (tokensPerSecond, seconds)
    }
  }

  /// In the order of steps.
  public var rows: [Row]

  public init(_ rows: [Row] = []) { self.rows = rows }

  public static let fileName = "training.csv"

  static let columns: [Column<Row>] = [
    Column("step", .integer(\.step)),
    Column("loss", .number(\.loss)),
    Column("validation", .number(\.validation)),
    Column("learning rate", key: "learning_rate", .number(\.learningRate)),
    Column("gradient norm", key: "gradient_norm", .number(\.gradientNorm)),
    Column("tok/s", key: "tok_per_s", .number(\.tokensPerSecond)),
    Column("seconds", .number(\.seconds)),
  ]

  public var csv: String { CSV.text(Self.columns, rows) }

  /// The evaluation with the lowest loss on the text that was kept back; nil where there was none.
  public var best: (step: Int, validation: Double)? {
    rows.compactMap { row in row.validation.map { (step: row.step, validation: $0) } }
      .min { $0.validation < $1.validation }
  }

  /// Nil where nothing was evaluated.
  public var lastEvaluation: Row? { rows.last { $0.validation != nil } }

  /// Steps whose mean stands for the loss now: that of a single one is of a few windows only.
  var recent: ArraySlice<Row> { rows.suffix(50) }

  /// Mean loss of the last 50 steps, nats a token; 0 where there is no step.
  public var recentLoss: Double { recent.reduce(0) { $0 + $1.loss } / Double(max(recent.count, 1)) }

  /// Tokens of all steps over their time, in tok/s; 0 where there is no step.
  public var meanSpeed: Double {
    let times = zip(rows, [0] + rows.map(\.seconds)).map { $0.seconds - $1 }
    let seconds = times.reduce(0, +)
    return seconds > 0 ? zip(rows, times).reduce(0) { $0 + $1.0.tokensPerSecond * $1.1 } / seconds : 0
  }

  /// Consecutive steps that a point of a curve with at most `count` points is the mean of.
  func stepsPerPoint(_ count: Int) -> Int { max(1, (rows.count + count - 1) / max(count, 1)) }

  /// Means of a figure over consecutive steps, at most `count` of them.
  ///
  /// - Parameter place: of a row on the horizontal axis.
  func curve(
    _ figure: (Row) -> Double, over place: (Row) -> Double, points count: Int
  ) -> [(x: Double, y: Double)] {
    let size = stepsPerPoint(count)
    return stride(from: 0, to: rows.count, by: size).map { start in
      let part = rows[start..<min(start + size, rows.count)]
      func mean(_ value: (Row) -> Double) -> Double { part.reduce(0) { $0 + value($1) } / Double(part.count) }
      return (x: mean(place), y: mean(figure))
    }
  }
}
