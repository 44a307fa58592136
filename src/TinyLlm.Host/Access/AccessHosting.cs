using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;
using TinyLlm.Host.Audit;
using TinyLlm.Host.Streams;

namespace TinyLlm.Host.Access;

/// <summary>Registers who gets in: address limits, the bearer scheme, and the provider outside where one is configured.</summary>
internal static class AccessHosting
{
    /// <summary>How far a provider's clock may be off.</summary>
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(30);

    /// <summary>What every process has that listens, and be it for health checks alone.</summary>
    public static void AddAddressLimits(this IServiceCollection services)
    {
        services.AddOptions<AccessOptions>().BindConfiguration(AccessOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<AccessOptions>, AccessOptionsValidator>();
        services.AddSingleton<AddressLimits>();
    }

    /// <summary>Signing in, by our tokens and by an issuer's.</summary>
    public static void AddAccess(this IServiceCollection services)
    {
        services.AddSingleton<TokenVerdicts>();
        services.AddHostedService<AdminTokenRotation>();
        services.AddSingleton<OidcSignIn>();
        services.AddSingleton<FailedAuthentications>();
        services.AddSingleton<RunningStreams>();
        services.AddHostedService(provider => provider.GetRequiredService<RunningStreams>());

        // The core services alone: AddAuthentication would bring data protection along, and write keys of no use to the home folder.
        services.AddAuthenticationCore(options =>
        {
            options.DefaultScheme = BearerAuthentication.SchemeName;
            options.AddScheme<BearerAuthentication>(BearerAuthentication.SchemeName, displayName: null);
            options.AddScheme<JwtBearerHandler>(OidcSignIn.SchemeName, displayName: null);
        });
        services.AddWebEncoders();
        services.AddTransient<BearerAuthentication>();
        services.AddOidc();
        // A route that nobody thought about is closed: it needs a token, and its handler a scope.
        services.AddAuthorizationBuilder().SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
    }

    /// <summary>The handler is there in any case, and asked only where an issuer is configured.</summary>
    private static void AddOidc(this IServiceCollection services)
    {
        services.AddTransient<JwtBearerHandler>();
        services.AddSingleton<IPostConfigureOptions<JwtBearerOptions>, JwtBearerPostConfigureOptions>();
        services.AddOptions<JwtBearerOptions>(OidcSignIn.SchemeName).Configure<IOptions<AccessOptions>>((jwt, access) =>
        {
            OidcOptions oidc = access.Value.Oidc;
            if (!oidc.IsEnabled) return;
            jwt.Authority = oidc.Issuer;
            jwt.Audience = oidc.Audience;
            jwt.RequireHttpsMetadata = !oidc.AllowHttpMetadata;
            jwt.MapInboundClaims = false;
            jwt.SaveToken = false;
            jwt.TokenValidationParameters = new TokenValidationParameters
            {
                ValidAudience = oidc.Audience,
                ClockSkew = ClockSkew,
                RequireExpirationTime = true,
                RequireSignedTokens = true,
                // Only signatures by a private key: a shared secret, or none, is not a provider's.
                ValidAlgorithms =
                [
                    SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512, SecurityAlgorithms.RsaSsaPssSha256,
                    SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
                ],
            };
        });
    }
}

/// <summary>Checks the ranges written beside the properties; generated.</summary>
[OptionsValidator]
internal sealed partial class AccessOptionsValidator : IValidateOptions<AccessOptions>;
