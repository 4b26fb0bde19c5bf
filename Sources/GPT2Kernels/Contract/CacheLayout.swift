import CSystem

/// How a kernel wants a sequence's keys and values of a layer to lie: by heads, each with room for `capacity`
/// positions.
public enum CacheLayout: Sendable, Equatable {
  /// Keys and values alike: (capacity, headSize), one position after the other.
  case rows
  /// What a product reads in order, with vectors of that many floats: the keys of a head as the panels of a matrix
  /// with a position for each output, its values as those of one with a position for each input. See `PanelShape`.
  /// A word of bfloat16 is two channels of a position's key, and two positions' values of a channel.
  case panels(vector: Int, of: WeightPrecision = .f32)

  public var precision: WeightPrecision {
    switch self {
    case .rows: .f32
    case .panels(_, let precision): precision
    }
  }

  /// What a key's or a value's number is when it is read again.
  public func kept(_ value: Float) -> Float {
    precision == .f32 ? value : Float(bitPattern: UInt32(csystem_brain_float(value)) << 16)
  }

  /// Words of four bytes from one head's keys to the next head's.
  public func keyStride(capacity: Int, headSize: Int) -> Int {
    switch self {
    case .rows: capacity * headSize
    case .panels(let vector, let precision):
      PanelShape(vector: vector, precision).count(outputs: capacity, inputs: headSize)
    }
  }

  /// Words from one head's values to the next head's.
  public func valueStride(capacity: Int, headSize: Int) -> Int {
    switch self {
    case .rows: capacity * headSize
    case .panels(let vector, let precision):
      PanelShape(vector: vector, fitting: headSize, precision).count(outputs: headSize, inputs: capacity)
    }
  }

  /// Puts some heads' keys and values of some of the new positions where they belong.
  func store(_ operation: CacheStore, rows: Range<Int>, heads: Range<Int>) {
    let (size, capacity) = (operation.headSize, operation.capacity)
    let (keyStride, valueStride) = (
      keyStride(capacity: capacity, headSize: size), valueStride(capacity: capacity, headSize: size)
    )
    switch self {
    case .rows:
      for row in rows {
        for head in heads {
          let target = (operation.firstPosition + row) * size
          (operation.keys + head * keyStride + target)
            .update(from: operation.newKeys.row(row) + head * size, count: size)
          (operation.values + head * valueStride + target)
            .update(from: operation.newValues.row(row) + head * size, count: size)
        }
      }
    case .panels(let vector, let precision):
      storeKeys(
        operation, rows: rows, heads: heads, in: PanelShape(vector: vector, precision), headStride: keyStride)
      storeValues(
        operation, rows: rows, heads: heads, in: PanelShape(vector: vector, fitting: size, precision),
        headStride: valueStride)
    }
  }

  /// A position is a row of the values' panels, or half of one.
  private func storeValues(
    _ operation: CacheStore, rows: Range<Int>, heads: Range<Int>, in shape: PanelShape, headStride: Int
  ) {
    let size = operation.headSize
    for head in heads {
      for first in stride(from: 0, to: size, by: shape.columns) {
        let width = shape.width(at: first, outputs: size)
        let channels = head * size + first..<head * size + min(first + width, size)
        let panel =
          operation.values + (head * headStride + shape.offset(ofPanelAt: first, inputs: operation.capacity))
        if shape.precision == .f32 {
          packRows(
            operation.newValues.row(rows.lowerBound) + channels.lowerBound,
            stride: operation.newValues.stride,
            rows: rows.count, columns: channels.count, width: width,
            to: panel + (operation.firstPosition + rows.lowerBound) * width, as: SIMD4<Float>.self)
        } else {
          for row in rows {
            storePairs(
              operation, row: row, channels: channels, to: panel + (operation.firstPosition + row) / 2 * width
            )
          }
        }
      }
    }
  }

  /// The words of a position at an even place, with the next one's values where it is new too, else with zeros, which an
  /// odd number of positions is summed with. At an odd place only what the step before left half empty: any other word is
  /// whole already. So no word is written by two rows, which may be two threads'.
  private func storePairs(
    _ operation: CacheStore, row: Int, channels: Range<Int>, to target: UnsafeMutablePointer<Float>
  ) {
    let values = operation.newValues.row(row) + channels.lowerBound
    if (operation.firstPosition + row) % 2 == 0 {
      let isPair = row + 1 < operation.newValues.rows
      let next = operation.newValues.row(isPair ? row + 1 : row) + channels.lowerBound
      for i in 0..<channels.count { target[i] = Float(brains: values[i], isPair ? next[i] : 0) }
    } else if row == 0 {
      for i in 0..<channels.count {
        let upper = UInt32(csystem_brain_float(values[i])) << 16
        target[i] = Float(bitPattern: target[i].bitPattern & 0xFFFF | upper)
      }
    }
  }

  /// A position is a column of the keys' panels. Positions of one vector go together, channel by channel, so that
  /// what is written lies side by side, and head by head, so that what is read does too.
  private func storeKeys(
    _ operation: CacheStore, rows: Range<Int>, heads: Range<Int>, in shape: PanelShape, headStride: Int
  ) {
    let size = operation.headSize
    let stride = operation.newKeys.stride
    let end = operation.firstPosition + rows.upperBound
    var position = operation.firstPosition + rows.lowerBound
    while position < end {
      let count = min(shape.vector - position % shape.vector, end - position)
      let width = shape.width(at: position, outputs: operation.capacity)
      let source = operation.newKeys.row(position - operation.firstPosition)
      let column = operation.keys + shape.offset(of: position, inputs: size)
      for head in heads {
        let key = source + head * size
        let target = column + head * headStride
        if shape.precision == .f32 {
          transpose(key, stride: stride, rows: count, columns: size, to: target, stride: width)
        } else {
          for channel in Swift.stride(from: 0, to: size, by: 2) {
            let isPair = channel &+ 1 < size
            for place in 0..<count {
              let pair = key + (place &* stride &+ channel)
              target[channel / 2 &* width &+ place] = Float(brains: pair[0], isPair ? pair[1] : 0)
            }
          }
        }
      }
      position += count
    }
  }
}

/// Takes the keys and values of consecutive new positions of one sequence into the cache.
public struct CacheStore: @unchecked Sendable {
  /// (new positions, heads · headSize), heads side by side.
  public let newKeys, newValues: Matrix
  /// One layer's words, in the kernel's `cacheLayout`.
  public let keys, values: UnsafeMutablePointer<Float>
  public let heads, headSize, capacity: Int
  /// The sequence's position of the first row.
  public let firstPosition: Int

  public init(
    newKeys: Matrix, newValues: Matrix, keys: UnsafeMutablePointer<Float>,
    values: UnsafeMutablePointer<Float>, heads: Int, headSize: Int, capacity: Int, firstPosition: Int
  ) {
    assert(newKeys.columns == heads * headSize && newValues.columns == heads * headSize)
    assert(newKeys.rows == newValues.rows && firstPosition + newKeys.rows <= capacity)
    (self.newKeys, self.newValues, self.keys, self.values) = (newKeys, newValues, keys, values)
    (self.heads, self.headSize, self.capacity) = (heads, headSize, capacity)
    self.firstPosition = firstPosition
  }
}
