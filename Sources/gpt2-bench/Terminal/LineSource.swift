/// Where a program's lines come from, one at a time.
protocol LineSource: AnyObject {
  func next() -> LineEvent
}

enum LineEvent: Equatable {
  case line(String)
  /// Control-C: the line that was begun is given up.
  case interrupted
  case end
}
