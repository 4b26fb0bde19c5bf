import GPT2Model
import TestSupport
import Testing

/// Tensors in half precision, which must come out as the float32 of the same value.
@Suite struct HalfPrecisionTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Every one of the 65,536 patterns, as one token embedding of 256 × 256.
  private func widened(_ dtype: String) throws -> [Float] {
    let configuration = try Configuration(layers: 1, heads: 4, channels: 256, vocabulary: 256, context: 1)
    var file = SafetensorsFile(of: configuration)
    file.metadata = ["n_head": "4"]
    file["wte.weight"].dtype = dtype
    file["wte.weight"].data = (0..<65_536).flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    let checkpoint = try Checkpoint(safetensors: folder.write(file.bytes, to: "half.safetensors"))
    // The neighbours, in float32, are as they were: a file may mix precisions.
    #expect(checkpoint.tensor(at: 1)[3] == SafetensorsFile.value(1, 3))
    return Array(checkpoint.tokenEmbedding)
  }

  @Test func bfloat16IsTheUpperHalf() throws {
    let values = try widened("BF16")
    #expect(values.indices.allSatisfy { values[$0].bitPattern == UInt32($0) << 16 })
  }

  /// IEEE 754, by its definition: sign, exponent with a bias of 15, ten bits of fraction.
  @Test func float16IsExact() throws {
    let values = try widened("F16")
    for (pattern, value) in values.enumerated() {
      let exponent = pattern >> 10 & 31
      let fraction = Double(pattern & 1023) / 1024
      let size =
        exponent == 0
        ? fraction * 0x1p-14 : (1 + fraction) * Double(sign: .plus, exponent: exponent - 15, significand: 1)
      #expect((value.sign == .minus) == (pattern >= 0x8000))
      if exponent < 31 {
        #expect(Double(value.magnitude) == size)
      } else if pattern & 1023 == 0 {
        #expect(value.isInfinite)
      } else {
        #expect(value.isNaN && value.bitPattern & 0x7F_FFFF == UInt32(pattern & 1023) << 13)
      }
    }
  }

  /// All tensors in all three precisions, at every alignment: the same values by each of the ways to read them.
  @Test(arguments: ["F16", "BF16"], 0..<4)
  func everyTensorMayBeHalf(_ dtype: String, _ padding: Int) throws {
    let configuration = try Configuration.small()
    var file = SafetensorsFile(of: configuration)
    file.padding = padding
    file.metadata = ["n_head": "2"]
    for (number, tensor) in file.tensors.enumerated() where number % 3 != 2 {
      file.tensors[number].dtype = dtype
      file.tensors[number].data = (0..<tensor.data.count / 4).flatMap { bytes(of: number, $0, dtype) }
    }
    let checkpoint = try Checkpoint(safetensors: folder.write(file.bytes, to: "mixed.safetensors"))
    for (number, parameter) in configuration.parameters.enumerated() {
      let expected = (0..<parameter.count).map {
        number % 3 == 2 ? SafetensorsFile.value(number, $0) : value(number, $0)
      }
      let taken = GuardedFloats(parameter.count)
      if parameter.role == .linearWeight {
        checkpoint.withMatrixOnce(number) { values, _ in
          taken.base.update(from: values, count: parameter.count)
        }
      } else {
        checkpoint.copyOnce(number, 0..<parameter.count, to: taken.base)
      }
      #expect(taken.guardsHold && taken.values == expected, "\(parameter.name)")
      #expect(Array(checkpoint.tensor(at: number)) == expected, "\(parameter.name)")
    }
  }

  /// A value that both half precisions hold.
  private func value(_ tensor: Int, _ element: Int) -> Float { Float(tensor) - Float(element % 4) * 32 }

  private func bytes(of tensor: Int, _ element: Int, _ dtype: String) -> [UInt8] {
    let bits = value(tensor, element).bitPattern
    var half = UInt16(bits >> 16)
    if dtype == "F16", bits & 0x7FFF_FFFF != 0 {
      half =
        UInt16(bits >> 16 & 0x8000) | UInt16((bits >> 23 & 0xFF) - 112) << 10 | UInt16(bits >> 13 & 0x3FF)
    }
    return [UInt8(half & 0xFF), UInt8(half >> 8)]
  }
}
