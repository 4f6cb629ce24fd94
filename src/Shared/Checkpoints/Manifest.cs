using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Convoy.Shared.Jobs;

namespace Convoy.Shared.Checkpoints;

/// <summary>Everything about a checkpoint that is not a tensor. It lies beside the shards as manifest.json.</summary>
public sealed record Manifest
{
    public const string FileName = "manifest.json";
    public const string FormatName = "convoy-checkpoint";
    public const int VersionNow = 1;
    private const long BytesMax = 256L << 20;

    public string Format { get; init; } = FormatName;
    public int Version { get; init; } = VersionNow;
    public required long Step { get; init; }
    public required long Generation { get; init; }
    /// <summary>H_t as 16 hexadecimal digits.</summary>
    public required string Fingerprint { get; init; }
    public required ulong Seed { get; init; }
    /// <summary>E0, E1 or E2 (decision 4).</summary>
    public string Exactness { get; init; } = "E0";
    public string DeviceKind { get; init; } = "";
    public required JobSpec Job { get; init; }
    public required string GraphSha256 { get; init; }
    public required string DataSha256 { get; init; }
    /// <summary>Kind of the optimizer whose states are saved.</summary>
    public required string Optimizer { get; init; }
    /// <summary>See <see cref="WeightsHash"/>; empty where the writer did not take it.</summary>
    public string WeightsSha256 { get; init; } = "";
    public SavedBy SavedBy { get; init; } = new();
    public IReadOnlyList<ShardFile> Shards { get; init; } = [];
    public IReadOnlyList<SavedTensor> Tensors { get; init; } = [];
    /// <summary>SHA-256 of the bytes of this document with an empty value here.</summary>
    public string ManifestSha256 { get; init; } = "";

    private static readonly JsonSerializerOptions Options = new(JsonSerializerOptions.Strict)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        WriteIndented = true,
        IndentSize = 1,
        NewLine = "\n",
        MaxDepth = 16,
    };

    public byte[] Encode()
    {
        var open = JsonSerializer.SerializeToUtf8Bytes(this with { ManifestSha256 = "" }, Options);
        return JsonSerializer.SerializeToUtf8Bytes(
            this with { ManifestSha256 = Convert.ToHexStringLower(SHA256.HashData(open)) }, Options);
    }

    /// <summary>Reads and checks a manifest. A newer version is refused by its number before anything else is looked
    /// at.</summary>
    public static Manifest Decode(Stream stream, string file)
    {
        if (stream.Length > BytesMax)
            throw Damage.Because(file, $"a manifest of {stream.Length} bytes is impossible (at most {BytesMax})");
        var json = new byte[stream.Length];
        stream.ReadExactly(json);
        try
        {
            RefuseOther(json, file);
            var manifest = JsonSerializer.Deserialize<Manifest>(json, Options) ??
                throw Damage.Because(file, "the manifest is null");
            CheckSeal(json, manifest.ManifestSha256, file);
            manifest.Check(file);
            return manifest;
        }
        catch (JsonException e)
        {
            // What follows in the message repeats the place in other words.
            var what = e.Message.Split(" Path:")[0].Split(" LineNumber:")[0].ReplaceLineEndings(" ");
            throw Damage.Because(file, $"the manifest cannot be read (line {e.LineNumber + 1 ?? 1}): {what}");
        }
    }

    // Over the bytes as they lie there, not over what this version would write: a later version may know more keys.
    private static void CheckSeal(ReadOnlySpan<byte> json, string seal, string file)
    {
        var value = Encoding.UTF8.GetBytes(seal);
        var at = value.Length == 0 ? -1 : json.LastIndexOf(value);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (at >= 0)
        {
            hash.AppendData(json[..at]);
            hash.AppendData(json[(at + value.Length)..]);
        }

        if (at < 0 || Convert.ToHexStringLower(hash.GetHashAndReset()) != seal)
            throw Damage.Because(file, "the manifest was changed or damaged (its own SHA-256 differs)");
    }

    private static void RefuseOther(byte[] json, string file)
    {
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 16 });
        if (document.RootElement.ValueKind != JsonValueKind.Object
            || !document.RootElement.TryGetProperty("format", out var format)
                || format.ValueKind != JsonValueKind.String
            || format.GetString() != FormatName)
            throw Damage.Because(file, "this is not the manifest of a convoy checkpoint");
        if (!document.RootElement.TryGetProperty("version", out var version)
            || version.ValueKind != JsonValueKind.Number
            || !version.TryGetInt32(out var number) || number != VersionNow)
            throw Damage.Because(file,
                $"format version {version} is not read here (this is version {VersionNow}; a newer convoy wrote it)");
    }

    private void Check(string file)
    {
        if (Step < 0 || Generation < 0) throw Damage.Because(file, "step or generation is negative");
        if (JobRules.Check(Job) is { } broken)
            throw Damage.Because(file, $"the job in the manifest breaks a rule: {broken}");
        foreach (var shard in Shards)
            if (shard.File != Path.GetFileName(shard.File) || shard.File.Length == 0 || shard.File is "." or ".."
                || shard.Bytes < 0)
                throw Damage.Because(file, $"'{shard.File}' is not the name of a shard");
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var tensor in Tensors)
        {
            if ((uint)tensor.Shard >= (uint)Shards.Count)
                throw Damage.Tensor(file, tensor.Name, $"there is no shard {tensor.Shard}");
            if (!names.Add(tensor.Name)) throw Damage.Tensor(file, tensor.Name, "it is listed twice");
        }
    }
}

/// <summary>Who saved and when; never read back into a computation.</summary>
public sealed record SavedBy
{
    public DateTimeOffset Utc { get; init; }
    public string Host { get; init; } = "";
    public string Build { get; init; } = "";
    public int Workers { get; init; }
}

/// <summary>A tensor of the checkpoint and the shard (by position in the list of shards) that holds it.</summary>
public sealed record SavedTensor
{
    public required string Name { get; init; }
    public required string DType { get; init; }
    public required IReadOnlyList<int> Shape { get; init; }
    public required int Shard { get; init; }
}
