using System.Text.Json;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Checking.Golden;

/// <summary>Tensors of reference files: a shape, and numbers in row-major order; int64 becomes int32.</summary>
internal static class GoldenJson
{
    public static Tensor TensorOf(JsonElement json)
    {
        var shape = new Shape([.. json.GetProperty("shape").EnumerateArray().Select(d => d.GetInt32())]);
        var isIndex = json.TryGetProperty("dtype", out var dtype) && dtype.GetString() is "int64" or "int32";
        var data = json.GetProperty("data").EnumerateArray();
        return isIndex ? Tensor.Of<int>([.. data.Select(d => d.GetInt32())], shape)
            : Tensor.Of<double>([.. data.Select(NumberOf)], shape);
    }

    public static double NumberOf(JsonElement json) => json.ValueKind != JsonValueKind.String ? json.GetDouble()
        : json.GetString() switch
        {
            "nan" or "NaN" => double.NaN,
            "inf" or "Infinity" => double.PositiveInfinity,
            "-inf" or "-Infinity" => double.NegativeInfinity,
            var text => throw new FormatException($"\"{text}\" is no number"),
        };

    public static double[] Numbers(JsonElement json) =>
        [.. (json.ValueKind == JsonValueKind.Object ? json.GetProperty("data")
            : json).EnumerateArray().Select(NumberOf)];

    /// <summary>A tensor of float64 in the form that is read; a name where it is a field.</summary>
    public static void Write(Utf8JsonWriter writer, string? name, Tensor tensor)
    {
        if (name is null) writer.WriteStartObject();
        else writer.WriteStartObject(name);
        writer.WriteStartArray("shape");
        foreach (var d in tensor.Shape.Dims) writer.WriteNumberValue(d);
        writer.WriteEndArray();
        writer.WriteStartArray("data");
        foreach (var v in tensor.Cast(DType.Float64).ToArray<double>())
        {
            if (double.IsFinite(v)) writer.WriteNumberValue(v);
            else writer.WriteStringValue(double.IsNaN(v) ? "nan" : v > 0 ? "inf" : "-inf");
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    public static Variable VariableOf(JsonElement json, bool free = true)
    {
        var tensor = TensorOf(json);
        return new Variable(tensor, free && tensor.DType == DType.Float64);
    }
}
