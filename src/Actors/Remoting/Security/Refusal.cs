using Convoy.Shared.Security;

namespace Convoy.Actors.Remoting.Security;

/// <summary>
/// Why a connection was not taken. Logs count by these, so they are few and no text of the peer is in them.
/// </summary>
internal enum Refusal
{
    /// <summary>Too many connections from there, or in all, are shaking hands.</summary>
    Busy,
    /// <summary>It was closed, or said too little, before it had shaken hands.</summary>
    Silent,
    NotConvoy,
    /// <summary>Plain where TLS is required.</summary>
    Plain,
    /// <summary>TLS older than 1.3.</summary>
    OldTls,
    /// <summary>TLS that could not be agreed on, or garbage that began like it.</summary>
    BrokenTls,
    BadGreeting,
    /// <summary>Protocol, build or features differ (R20).</summary>
    Versions,
    NoCertificate,
    WrongAuthority,
    Expired,
    Revoked,
    BadCertificate,
    WrongRole,
    WrongName,
}

internal static class Refusals
{
    public static Refusal Of(CertificateFault fault) => fault switch
    {
        CertificateFault.Missing => Refusal.NoCertificate,
        CertificateFault.WrongAuthority => Refusal.WrongAuthority,
        CertificateFault.Expired or CertificateFault.NotYetValid => Refusal.Expired,
        CertificateFault.Revoked => Refusal.Revoked,
        CertificateFault.WrongRole => Refusal.WrongRole,
        CertificateFault.WrongName => Refusal.WrongName,
        _ => Refusal.BadCertificate,
    };
}
