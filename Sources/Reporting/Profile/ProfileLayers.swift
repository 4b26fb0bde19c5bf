import Statistics

/// A profile's layers with bars, for a terminal. Of a deep model whose middle layers are alike, these are one line.
struct ProfileLayers {
  /// Up to so many layers each has its line.
  private static let most = 24
  /// Layers at either end that keep their line.
  private static let ends = 4
  /// Layers are alike whose times differ from their median by no more than this share.
  private static let likeness = 0.1

  private let figures: ProfileFigures
  private let scale: TimeScale
  private let lines: [Line]
  /// How lines were folded; nil where none were.
  let remark: String?

  /// One layer, or several that are alike with the mean of their figures.
  private struct Line {
    let name: String
    let work: WorkSum
    let count: Double
  }

  init(_ figures: ProfileFigures, scale: TimeScale) {
    self.figures = figures
    self.scale = scale
    let layers = figures.layers
    let middle = layers.dropFirst(Self.ends).dropLast(Self.ends)
    guard layers.count > Self.most, Self.areAlike(middle), let first = middle.first?.layer,
      let last = middle.last?.layer
    else {
      lines = layers.map(Self.line)
      remark = nil
      return
    }
    let folded = Line(
      name: "\(first) to \(last)", work: WorkSum(middle.map(\.work)), count: Double(middle.count))
    lines =
      layers.prefix(Self.ends).map(Self.line) + [folded] + layers.suffix(Self.ends).map(Self.line)
    remark =
      "Layers \(first) to \(last) are within \(Int(100 * Self.likeness)) % of their median: the line is their mean."
  }

  /// Empty where there are no layers.
  func text(colour: Bool, width: Int) -> String {
    var table = TextTable([
      .init(title: "layer"), .init(title: "", alignment: .left), .init(title: "time", unit: scale.unit),
      .init(title: "share", unit: "%"), .init(title: "calls", rank: 6), .init(title: "MFLOP", rank: 4),
      .init(title: "MB", rank: 5), .init(title: "GFLOP/s"), .init(title: "GB/s"),
      .init(title: "FLOP/B", rank: 3), .init(title: "of roof", unit: "%", rank: 1),
      .init(title: "at best", unit: scale.unit, rank: 2),
    ])
    let longest = lines.map { $0.work.wholeNanoseconds / $0.count }.max() ?? 1
    table.rows = lines.map { line in
      let nanoseconds = line.work.wholeNanoseconds / line.count
      return [
        .init(line.name), .init(.bar(share: nanoseconds / longest)), .init(scale.text(nanoseconds)),
        .init(NumberText.percent(figures.share(nanoseconds))),
        .init(NumberText.plain(line.work.calls / line.count)), .init(amount(line.work.flops / line.count)),
        .init(amount(line.work.bytes / line.count)),
        .init(line.work.gflops.map { NumberText.significant($0, 3) } ?? ""),
        .init(line.work.gbPerSecond.map { NumberText.significant($0, 3) } ?? ""),
        .init(line.work.intensity.map { NumberText.significant($0, 3) } ?? ""),
        .init(line.work.rooflinePercent.map { NumberText.fixed($0, 1) } ?? ""),
        .init(line.work.leastNanoseconds.map { scale.text($0 / line.count) } ?? ""),
      ]
    }
    return table.text(colour: colour, width: width)
  }

  /// In millions.
  private func amount(_ value: Double) -> String { NumberText.significant(value / 1e6, 3) }

  private static func line(_ layer: LayerFigures) -> Line {
    Line(name: "\(layer.layer)", work: layer.work, count: 1)
  }

  private static func areAlike(_ layers: some Sequence<LayerFigures>) -> Bool {
    let times = layers.map(\.work.wholeNanoseconds)
    guard let middle = median(times) else { return false }
    return times.allSatisfy { abs($0 - middle) <= likeness * middle }
  }
}
