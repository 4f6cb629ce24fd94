using System.Text.Json;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Conformance.Tests;

/// <summary>Reference figures in golden/*.json, made in float64: at most 1e-9 relative or 1e-11 absolute apart.</summary>
internal static class Golden
{
    public static JsonElement Read(string file)
    {
        var path = Path.Combine(AppContext.BaseDirectory, "golden", file);
        return JsonDocument.Parse(File.ReadAllBytes(path)).RootElement;
    }

    public static Tensor TensorOf(JsonElement json)
    {
        var shape = new Shape([.. json.GetProperty("shape").EnumerateArray().Select(d => d.GetInt32())]);
        var isIndex = json.TryGetProperty("dtype", out var dtype) && dtype.GetString() == "int64";
        var data = json.GetProperty("data").EnumerateArray();
        return isIndex ? Tensor.Of<int>([.. data.Select(d => d.GetInt32())], shape)
            : Tensor.Of<double>([.. data.Select(d => d.GetDouble())], shape);
    }

    public static Variable VariableOf(JsonElement json, bool requiresGradient = true)
    {
        var tensor = TensorOf(json);
        return new Variable(tensor, requiresGradient && tensor.DType == DType.Float64);
    }

    public const double Relative = 1e-9;

    public static void Close(JsonElement expected, Tensor actual, string what, double relative = Relative)
    {
        var wanted = TensorOf(expected);
        Assert.True(wanted.Shape == actual.Shape, $"{what}: shape {actual.Shape}, expected {wanted.Shape}");
        Close(wanted.Values<double>(), actual.ToArray<double>(), what, relative);
    }

    public static void Close(
        ReadOnlySpan<double> expected, ReadOnlySpan<double> actual, string what, double relative = Relative)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            var error = Math.Abs(expected[i] - actual[i]);
            var limit = 1e-11 + (relative * Math.Abs(expected[i]));
            Assert.True(error <= limit, $"{what}[{i}]: {actual[i]:r}, expected {expected[i]:r}");
        }
    }
}
