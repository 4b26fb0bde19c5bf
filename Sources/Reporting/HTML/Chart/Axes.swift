/// The frame of a chart with two axes: grid, ticks, and a title with its unit on each.
struct Axes {
  let x: Scale
  let y: Scale
  let xTitle: String
  let yTitle: String

  /// Room for tick labels and titles around the plot.
  static let left = 46.0
  static let top = 20.0
  static let right = Chart.width - 10

  /// Of the plot's lower edge, for a plot of `height`.
  static func bottom(height: Double) -> Double { top + height }

  /// How far below the plot the labels of its horizontal axis reach.
  static let below = 38.0

  var marks: [Markup] {
    let horizontal = y.ticks.flatMap { tick -> [Markup] in
      let at = y.position(tick)
      return [
        .line((x.start, at), (x.end, at), class: "grid"),
        .label(Ticks.label(tick), x: x.start - 5, y: at + 4, anchor: .end, class: "muted small"),
      ]
    }
    let vertical = x.ticks.flatMap { tick -> [Markup] in
      let at = x.position(tick)
      return [
        .line((at, y.start), (at, y.end), class: "grid"),
        .label(Ticks.label(tick), x: at, y: y.start + 15, anchor: .middle, class: "muted small"),
      ]
    }
    return horizontal + vertical + [
      .line((x.start, y.start), (x.end, y.start), class: "axis"),
      .label(yTitle, x: 0, y: y.end - 8, class: "muted small"),
      .label(xTitle, x: x.end, y: y.start + 31, anchor: .end, class: "muted small"),
    ]
  }
}

/// One horizontal axis under rows of bars, with its grid behind them.
struct RowAxis {
  let scale: Scale
  let title: String
  let bottom: Double

  static let height = 34.0

  var marks: [Markup] {
    return scale.ticks.flatMap { tick -> [Markup] in
      let at = scale.position(tick)
      let anchor: Markup.Anchor = at < 12 ? .start : at > Chart.width - 12 ? .end : .middle
      return [
        .line((at, 0), (at, bottom), class: "grid"),
        .label(Ticks.label(tick), x: at, y: bottom + 13, anchor: anchor, class: "muted small"),
      ]
    } + [.label(title, x: Chart.width, y: bottom + 28, anchor: .end, class: "muted small")]
  }
}
