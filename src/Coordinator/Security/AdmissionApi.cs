using Convoy.Coordinator.Api;
using Convoy.Shared;
using Microsoft.AspNetCore.Http;

namespace Convoy.Coordinator.Security;

/// <summary>
/// The HTTP side of <see cref="AdmissionDesk"/>. Without a desk every request is refused with the reason.
/// </summary>
internal sealed class AdmissionApi(AdmissionDesk? desk)
{
    public async Task AnswerAsync(HttpContext context)
    {
        if (context.Features.Get<PeerFeature>() is not { } connection)
            throw new UserException(ExitCode.Cluster,
                "this coordinator is plain: tokens and certificates need one with credentials");
        var open = desk ?? throw new UserException(ExitCode.Cluster,
            "the cluster's authority is not on the coordinator's machine: it admits nobody new and renews nothing");
        switch (context.Request.Method, context.Request.Path.Value)
        {
            case ("POST", "/api/tokens"):
                await HttpApi.WriteAsync(context, open.Create(await HttpApi.ReadAsync<TokenRequest>(context)));
                break;
            case ("GET", "/api/trust"):
                await HttpApi.WriteAsync(context, open.Trust());
                break;
            case ("POST", "/api/join"):
                await HttpApi.WriteAsync(context, open.Join(await HttpApi.ReadAsync<JoinRequest>(context)));
                break;
            case ("POST", "/api/renew"):
                var renew = await HttpApi.ReadAsync<RenewRequest>(context);
                await HttpApi.WriteAsync(context, open.Renew(connection.Peer.Identity!, renew));
                break;
            default:
                throw new UserException(ExitCode.Usage,
                    $"there is no {context.Request.Method} {context.Request.Path} here");
        }
    }
}
