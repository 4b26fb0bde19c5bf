/// Horizontal bars made of parts, one a row; the parts of each add up to its length.
struct StackedBars: Drawing {
  struct Part {
    let name: String
    let value: Double
    let figure: String
    let look: Look
  }

  /// Parts of one group share a look and stand side by side.
  enum Look: Hashable {
    /// Of a group of phases: an index of the theme's `phases`.
    case phase(Int)
    /// Time in which nothing was computed.
    case hatched
    case blank

    var cssClass: String {
      switch self {
      case .phase(let index): "phase p\(index)"
      case .hatched: "plain hatched"
      case .blank: "plain"
      }
    }
  }

  struct Stack {
    let name: String
    let parts: [Part]
    /// At the row's right end: the whole in words.
    let figure: String
  }

  let stacks: [Stack]
  /// With its unit.
  let axisTitle: String
  let groups: [(name: String, look: Look)]
  private static let rowHeight = 41.0
  private static let barHeight = 20.0

  func drawn(width: Double, id: String) -> (height: Double, marks: [Markup]) {
    let totals = stacks.map { $0.parts.map(\.value).reduce(0, +) }
    let scale = Scale.fromZero(to: totals.max() ?? 1, start: 0, end: width)
    let bars = stacks.indices.map { index -> ClosedRange<Double> in
      let top = Double(index) * Self.rowHeight + 18
      return top - 1...top + Self.barHeight + 2
    }
    let bottom = bars.last?.upperBound ?? 0
    let items = groups.map { group in
      Legend.Item(text: group.name) { x, y in
        Self.box(group.look, id, x: x - 5, y: y - 5.5, width: 11, height: 11, tip: group.name)
      }
    }
    let legend = Legend(items: items).marks(top: bottom + RowAxis.height, width: width)
    let rows = stacks.enumerated().flatMap { index, stack in
      row(stack, scale, id, top: Double(index) * Self.rowHeight, width: width)
    }
    let axis = RowAxis(scale: scale, title: axisTitle, width: width, bars: bars)
    return (
      bottom + RowAxis.height + legend.height, [Self.hatching(id)] + axis.marks + rows + legend.marks
    )
  }

  private func row(_ stack: Stack, _ scale: Scale, _ id: String, top: Double, width total: Double)
    -> [Markup]
  {
    let room = total - TextWidth.of(stack.figure) - 14
    var at = 0.0
    var boxes: [Markup] = []
    for part in stack.parts {
      let from = scale.position(at)
      at += part.value
      let width = scale.position(at) - from
      guard width > 0.05 else { continue }
      // A gap of half a unit at each end keeps neighbours of one colour apart.
      let inset = width > 2 ? 0.5 : 0
      boxes.append(
        Self.box(
          part.look, id, x: from + inset, y: top + 18, width: width - 2 * inset, height: Self.barHeight,
          tip: "\(stack.name), \(part.name): \(part.figure)"))
      guard width > TextWidth.of(part.name, size: TextWidth.small) + 4 else { continue }
      boxes.append(
        .label(part.name, x: from + width / 2, y: top + 32, anchor: .middle, class: "on"))
    }
    return [
      .label(TextWidth.fitted(stack.name, to: room), x: 0, y: top + 13, class: "name"),
      .label(stack.figure, x: total, y: top + 13, anchor: .end, class: "figure"),
    ] + boxes
  }

  private static func box(
    _ look: Look, _ id: String, x: Double, y: Double, width: Double, height: Double, tip: String
  ) -> Markup {
    let plain = Markup.bar(x: x, y: y, width: width, height: height, look.cssClass, tip: tip)
    guard look == .hatched else { return plain }
    return .joined([
      plain, .bar(x: x, y: y, width: width, height: height, "url(#\(id)-h)", as: "fill", tip: tip),
    ])
  }

  private static func hatching(_ id: String) -> Markup {
    let lines = Markup.element(
      "pattern",
      [
        "id": "\(id)-h", "width": "6", "height": "6", "patternUnits": "userSpaceOnUse",
        "patternTransform": "rotate(45)",
      ], [.line((0, 0), (0, 6), class: "axis")])
    return .element("defs", [:], [lines])
  }
}

/// Horizontal bars from zero, one a row, with the interval of each; its name and figure stand above it.
struct BarChart: Drawing {
  struct Bar {
    let name: String
    let value: Double
    let interval: (lower: Double, upper: Double)?
    /// At the row's right end: the figure in words, and after it what it is in comparison; empty where that is unknown.
    let figure: String
    let factor: String
    let style: SeriesStyle

    /// `61.15 ± 3.36, 71.9×`
    var words: String { factor.isEmpty ? figure : "\(figure), \(factor)" }
  }

  let bars: [Bar]
  /// With its unit.
  let axisTitle: String
  /// A line across all bars, with what it is.
  var limit: (value: Double, name: String)?
  private static let rowHeight = 34.0
  private static let barHeight = 13.0
  private static let factorWidth = 54.0

  func drawn(width: Double, id: String) -> (height: Double, marks: [Markup]) {
    let ends = bars.map { max($0.value, $0.interval?.upper ?? 0) } + [limit?.value ?? 0]
    let scale = Scale.fromZero(to: ends.max() ?? 1, start: 1, end: width - 2)
    let places = bars.indices.map { index -> ClosedRange<Double> in
      let top = Double(index) * Self.rowHeight + 18
      return top - 1...top + Self.barHeight + 1
    }
    let bottom = places.last?.upperBound ?? 0
    let rows = bars.enumerated().flatMap { index, bar in
      row(bar, scale, top: Double(index) * Self.rowHeight, width: width)
    }
    let items = limit.map { limit in
      [Legend.Item(text: limit.name) { x, y in .line((x, y - 6), (x, y + 6), class: "whisker") }]
    }
    let legend = Legend(items: items ?? []).marks(top: bottom + RowAxis.height, width: width)
    let across = limit.map { limit in
      bars.indices.flatMap { index -> [Markup] in
        let (at, y) = (scale.position(limit.value), Double(index) * Self.rowHeight + 18)
        return ["halo", "whisker"].map { .line((at, y - 2), (at, y + Self.barHeight + 2), class: $0) }
      }
    }
    let axis = RowAxis(scale: scale, title: axisTitle, width: width, bars: places)
    return (
      bottom + RowAxis.height + legend.height, axis.marks + rows + (across ?? []) + legend.marks
    )
  }

  private func row(_ bar: Bar, _ scale: Scale, top: Double, width: Double) -> [Markup] {
    let hasFactors = bars.contains { !$0.factor.isEmpty }
    let figureEnd = width - (hasFactors ? Self.factorWidth : 0)
    let room = figureEnd - TextWidth.of(bar.figure) - 14
    let y = top + 18
    let middle = y + Self.barHeight / 2
    let whisker = bar.interval.map { interval in
      Markup.whisker(from: scale.clamped(interval.lower), to: scale.clamped(interval.upper), y: middle)
    }
    return [
      .label(TextWidth.fitted(bar.name, to: room), x: 0, y: top + 13, class: "name"),
      .label(bar.figure, x: figureEnd, y: top + 13, anchor: .end, class: "figure"),
      bar.factor.isEmpty
        ? .nothing : .label(bar.factor, x: width, y: top + 13, anchor: .end, class: "name"),
      .bar(
        x: scale.start, y: y, width: max(scale.position(bar.value) - scale.start, 1), height: Self.barHeight,
        "fill \(bar.style.cssClass)", tip: "\(bar.name): \(bar.words)"),
    ] + (whisker ?? [])
  }
}
