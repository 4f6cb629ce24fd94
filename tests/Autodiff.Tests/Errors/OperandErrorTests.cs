using Convoy.Autodiff.Checking.Samples;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Errors;

/// <summary>
/// ERR-01, ERR-07: whatever operands an operator is given, it computes or refuses in one line that names the operator,
/// its operands with their shapes, and the rule.
/// </summary>
public sealed class OperandErrorTests
{
    public static TheoryData<string> Names() =>
        [.. OpTable.All.Where(op => op != OpTable.Input && op != OpTable.Parameter).Select(op => op.Name)];

    // A shape of small sizes, 0 and 1 among them.
    private static int[] Dims(RandomStream random, ref int draw)
    {
        int[] sizes = [0, 1, 1, 2, 3, 4];
        var dims = new int[(int)(random.Uniform(draw++) * 6)];
        for (var i = 0; i < dims.Length; i++) dims[i] = sizes[(int)(random.Uniform(draw++) * sizes.Length)];
        return dims;
    }

    // Now one operand of another shape, or of another type, or one less, or one more.
    private static Tensor[] Changed(Tensor[] inputs, RandomStream random, ref int draw)
    {
        var changed = inputs.ToList();
        var at = (int)(random.Uniform(draw++) * inputs.Length);
        DType[] types = [DType.Float64, DType.Float64, DType.Float64, DType.Float32, DType.Int32, DType.Int64];
        switch ((int)(random.Uniform(draw++) * 6))
        {
            case 0 when changed.Count > 0:
                changed.RemoveAt(at);
                break;
            case 1:
                changed.Add(Tensor.Ones(DType.Float64, Dims(random, ref draw)));
                break;
            case 2 when changed.Count > 0:
                changed[at] = changed[at].Cast(types[(int)(random.Uniform(draw++) * types.Length)]);
                break;
            default:
                for (var i = 0; i < changed.Count; i++)
                {
                    if (i != at && random.Uniform(draw++) < 0.7) continue;
                    changed[i] = Tensor.Full(changed[i].DType, 1, new Shape(Dims(random, ref draw)));
                }

                break;
        }

        return [.. changed];
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void WhateverTheOperands_TheErrorIsOneLineThatShowsThem(string name)
    {
        var op = OpTable.Find(name)!;
        var random = new RandomStream(5, RandomPurpose.Mask, 1);
        var draw = 0;
        OpSample[] samples = [.. OpSamples.Of(op)];
        for (var round = 0; round < 100; round++)
        {
            var sample = samples.Length == 0 ? null : samples[round % samples.Length];
            Tensor[] inputs = Changed(sample?.Inputs ?? [Tensor.Ones(DType.Float64, 2, 2)], random, ref draw);
            var attributes = round % 4 == 0 ? Attributes.None : sample?.Attributes ?? Attributes.None;
            Value[] values = [.. inputs.Select(t => new Variable(t, t.DType is DType.Float32 or DType.Float64))];
            var shown = $"{name}({string.Join(", ", values.Select(v => v.Type))}) {attributes}";
            try
            {
                _ = EagerBuilder.Instance.Apply(op, attributes, values);
            }
            catch (ShapeException refused)
            {
                Assert.StartsWith(name == "einsum" ? name : name + ":",
                    refused.Message, StringComparison.Ordinal);
                Assert.DoesNotContain('\n', refused.Message);
                if (name.StartsWith("complex", StringComparison.Ordinal)) continue;
                Assert.All(values, v => Assert.True(
                    refused.Message.Contains(v.Type.Text, StringComparison.Ordinal), $"{shown}: {refused.Message}"));
            }
            catch (Exception other)
            {
                Assert.Fail($"{shown}: {other}");
            }
        }
    }

    [Fact]
    public void SettingsBeyondAllSizes_AreErrorsOfShapes_NotOverflows()
    {
        var image = new Variable(Tensor.Ones(DType.Float64, 1, 2, 4, 4));
        var matrix = new Variable(Tensor.Ones(DType.Float64, 3, 2));
        (string Operator, Action Call)[] all =
        [
            ("split", () => matrix.Split(1, int.MaxValue, int.MaxValue)),
            ("tile", () => matrix.Tile(int.MaxValue, int.MaxValue)),
            ("max-pool2d", () => image.MaxPool2d(3, 0, int.MaxValue)),
            ("avg-pool2d", () => image.AvgPool2d(3, 1, int.MaxValue)),
            ("conv2d-any", () => image.Conv2d(new Variable(Tensor.Ones(DType.Float64, 1, 2, 2, 2)),
                null, 1, PerAxis.Of([int.MaxValue, 1]), 1)),
            ("conv2d", () => image.Conv2d(new Variable(Tensor.Ones(DType.Float64, 0, 2, 2, 2)), stride: 1)),
        ];
        foreach (var (name, call) in all)
        {
            var refused = Assert.Throws<ShapeException>(call);
            Assert.StartsWith($"{name}: ", refused.Message, StringComparison.Ordinal);
        }

        var missing = Assert.Throws<ArgumentNullException>(() => matrix.MseLoss(matrix, reduction: null!));
        Assert.Equal("reduction", missing.ParamName);
    }
}
