import Record

/// A record's test, whose name Swift Testing has too.
typealias CellTest = Test
