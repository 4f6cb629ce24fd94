using System.Text;
using System.Text.Json;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Checking.Golden;

/// <summary>
/// Cases of ops.json: figures of one application of an operator. Compared with a reference, or written in the same
/// form, for another library or another day (GV-03, GV-06).
/// </summary>
public static class GoldenOperator
{
    internal static GoldenCase? Compare(GoldenComparison comparison, JsonElement json)
    {
        if (Figures(json) is not { } own) return null;
        comparison.Tensor(json.GetProperty("output"), own.Output, "output");
        if (own.Gradients is null) return comparison.Finish();
        var gradients = json.GetProperty("grads");
        for (var i = 0; i < gradients.GetArrayLength(); i++)
        {
            if (gradients[i].ValueKind == JsonValueKind.Null) continue;
            // Where none flows here, such as through a sign, zeros flow there.
            var gradient = own.Gradients[i] ?? Tensor.Zeros(DType.Float64, own.InputShapes[i].Dims);
            comparison.Tensor(
                gradients[i], gradient, $"gradient {i}", ToleranceOf(json.GetProperty("op").GetString()!));
        }

        return comparison.Finish();
    }

    /// <summary>
    /// The cases of a document of ops.json with our figures in place of theirs: the same operators, attributes, inputs
    /// and cotangents. Cases of unknown names are left out. Numbers are written with all their digits.
    /// </summary>
    public static string Export(JsonElement document)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes))
        {
            writer.WriteStartArray();
            foreach (var json in document.EnumerateArray())
                if (Figures(json) is { } own) Write(writer, json, own.Output, own.Gradients);
            writer.WriteEndArray();
        }

        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    // Null where the name is unknown; no gradients where the case has no cotangent.
    private static (Tensor Output, Tensor?[]? Gradients, Shape[] InputShapes)? Figures(JsonElement json)
    {
        if (GoldenOps.Find(json.GetProperty("op").GetString()!) is not { } function) return null;
        Variable[] inputs =
        [
            .. json.GetProperty("inputs").EnumerateArray().Select(i => GoldenJson.VariableOf(i)),
            .. json.GetProperty("int_inputs").EnumerateArray().Select(i => GoldenJson.VariableOf(i)),
        ];
        var output = (Variable)function(inputs, json.GetProperty("attrs"));
        if (!json.TryGetProperty("cotangent", out var cotangent) || cotangent.ValueKind == JsonValueKind.Null)
            return (output.Data, null, []);
        output.Backward(GoldenJson.TensorOf(cotangent));
        return (output.Data, [.. inputs.Select(v => v.Gradient)], [.. inputs.Select(v => v.Data.Shape)]);
    }

    private static void Write(Utf8JsonWriter writer, JsonElement json, Tensor output, Tensor?[]? gradients)
    {
        writer.WriteStartObject();
        foreach (var field in json.EnumerateObject())
            if (field.Name is not ("output" or "grads")) field.WriteTo(writer);
        GoldenJson.Write(writer, "output", output);
        if (gradients is not null)
        {
            writer.WriteStartArray("grads");
            foreach (var gradient in gradients.Take(json.GetProperty("inputs").GetArrayLength()))
            {
                if (gradient is null) writer.WriteNullValue();
                else GoldenJson.Write(writer, null, gradient);
            }

            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    // The figures of these gradients have 1/6, and 1/alpha, rounded to float32: they agree to that and not to 1e-9.
    private static double ToleranceOf(string op) => op switch { "hard_sigmoid" => 1e-7, "celu" => 1e-6, _ => 0 };
}
