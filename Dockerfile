# For who prefers Docker to "dotnet publish -t:PublishContainer": the same image.
#   docker build --tag tinyllm .
#   docker build --tag tinyllm:cuda --build-arg TORCH_DEVICE=cuda .
FROM mcr.microsoft.com/dotnet/sdk:10.0-noble AS build
ARG TORCH_DEVICE=cpu
# The packages of the lock files and no others.
ENV CI=true
WORKDIR /source
COPY . .
RUN dotnet publish src/TinyLlm.Host -c Release -r linux-x64 --self-contained false -p:TorchDevice=$TORCH_DEVICE -o /app

FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble
WORKDIR /app
COPY --from=build /app .
USER 1654
EXPOSE 8080
ENTRYPOINT ["dotnet", "TinyLlm.Host.dll"]
