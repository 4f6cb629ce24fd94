using System.Security.Cryptography;

namespace Convoy.Shared.Diagnostics;

/// <summary>
/// What is running here: a hash over the assemblies of the product. Two processes with the same build id run the
/// same code; the handshake compares it and refuses with both values (R20). Builds are deterministic, so the id
/// depends on sources and compiler alone.
/// </summary>
public static class BuildId
{
    // A fixed list, not a pattern: a test host has more of our assemblies beside it and must get the same id.
    private static readonly string[] Assemblies =
    [
        "Convoy.Shared", "Convoy.Kernels", "Convoy.Actors", "Convoy.Autodiff", "Convoy.Coordinator", "Convoy.Worker",
    ];

    private static readonly Lazy<string> Computed = new(() => Compute(AppContext.BaseDirectory));

    /// <summary>Twelve hexadecimal digits.</summary>
    public static string Current => Computed.Value;

    internal static string Compute(string folder)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var found = false;
        foreach (var path in Assemblies.Select(name => Path.Combine(folder, name + ".dll")).Where(File.Exists))
        {
            hash.AppendData(SHA256.HashData(File.ReadAllBytes(path)));
            found = true;
        }
        // One-file publications have no assemblies beside them: the module's own version id is then all there is.
        if (!found) hash.AppendData(typeof(BuildId).Module.ModuleVersionId.ToByteArray());
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 6));
    }
}
