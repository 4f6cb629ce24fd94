using Convoy.Autodiff.Checking.Samples;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tensors;

/// <summary>
/// DEV-11: however many elements go through the widest registers of this processor at once, each gets what it gets
/// alone. Samples are small; kernels take several registers together where there are more elements.
/// </summary>
public sealed class RegisterWidthTests
{
    private const int Elements = 151; // more than a pair of the widest registers, with a rest

    public static TheoryData<string> Names() =>
        [.. OpTable.All.Where(op => op is IBlockwise && OpSamples.Of(op).Any()).Select(op => op.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void ManyElements_AreEachWhatTheyAreAlone(string name)
    {
        var sample = OpSamples.Of(OpTable.Find(name)!).First(s => s.Inputs.All(t => t.DType == DType.Float64))
            .InFloat32();
        // Numbers that the operator takes, over and over.
        var many = sample.Inputs.Select(x => Repeated(x.ToArray<float>())).ToArray();
        var together = sample.Run([.. many.Select(x => Tensor.Of(x, Elements))]).ToArray<float>();
        for (var i = 0; i < Elements; i++)
        {
            var alone = sample.Run([.. many.Select(x => Tensor.Of([x[i]], 1))]).ToArray<float>()[0];
            Assert.True(BitConverter.SingleToInt32Bits(alone) == BitConverter.SingleToInt32Bits(together[i]),
                $"{name}: element {i} is {together[i]:R}, alone {alone:R}");
        }
    }

    private static float[] Repeated(float[] x) => [.. Enumerable.Range(0, Elements).Select(i => x[i % x.Length])];
}
