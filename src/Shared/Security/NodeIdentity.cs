using System.Diagnostics.CodeAnalysis;

namespace Convoy.Shared.Security;

/// <summary>What the holder of a certificate may act as. The words are part of certificates.</summary>
public enum ClusterRole
{
    /// <summary>Leads the cluster: workers obey it.</summary>
    Coordinator = 1,
    /// <summary>Computes: may join, and talk to other workers.</summary>
    Worker = 2,
    /// <summary>A person or script: may use the HTTP API.</summary>
    Operator = 3,
}

/// <summary>Who a certificate speaks for: a role and a name that is stable over restarts and renewals.</summary>
public sealed record NodeIdentity(ClusterRole Role, string Name)
{
    public const int NameLengthMax = 64;
    private const string Prefix = "convoy://node/";

    /// <summary>The identity as it stands in a certificate: <c>convoy://node/worker/w0</c>.</summary>
    public string ToUri() => $"{Prefix}{Word(Role)}/{Name}";

    public static bool TryParseUri(string uri, [NotNullWhen(true)] out NodeIdentity? identity)
    {
        identity = null;
        if (!uri.StartsWith(Prefix, StringComparison.Ordinal)) return false;
        var parts = uri[Prefix.Length..].Split('/');
        if (parts.Length != 2 || RoleOf(parts[0]) is not { } role || NameFault(parts[1]) is not null) return false;
        identity = new NodeIdentity(role, parts[1]);
        return true;
    }

    /// <summary>Why this cannot be the name in a certificate, or null.</summary>
    public static string? NameFault(string name)
    {
        if (name.Length is 0 or > NameLengthMax) return $"a node name has 1 to {NameLengthMax} characters";
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.'))
                return "a node name is made of letters, digits, '-', '_' and '.'";
        }

        return name is "." or ".." ? "a node name is not a folder" : null;
    }

    /// <summary>The role as a word for people, files and certificates.</summary>
    public static string Word(ClusterRole role) => role switch
    {
        ClusterRole.Coordinator => "coordinator",
        ClusterRole.Worker => "worker",
        ClusterRole.Operator => "operator",
        _ => throw Invariant.Unhandled(role),
    };

    public override string ToString() => $"{Word(Role)} {Name}";

    private static ClusterRole? RoleOf(string word) => word switch
    {
        "coordinator" => ClusterRole.Coordinator,
        "worker" => ClusterRole.Worker,
        "operator" => ClusterRole.Operator,
        _ => null,
    };
}
